import { CoherenceError } from "../../ground/errors.ts";
import { isGreen } from "./colour.ts";
import type { Context } from "./context.ts";
import { checkSha } from "./paths.ts";
import type { BaseCheck, LogLine } from "./port.ts";
import { prepareTree } from "./setup.ts";
import { runSuite } from "./suite.ts";
import { ensureTree, exclusively, removeTree, resetTree } from "./tree.ts";

/** The label of the tree in which a base is checked. */
export function baseLabel(sha: string): string {
  return `base/${sha}`;
}

/** Set-up and suite on a commit, in a tree of its own that is removed afterwards. */
export async function checkCommit(
  context: Context,
  sha: string,
  log: LogLine,
  signal: AbortSignal,
): Promise<BaseCheck> {
  checkSha(sha);
  const label = baseLabel(sha);
  return exclusively(context, label, async () => {
    const { tree } = await ensureTree(context, label, sha);
    try {
      await resetTree(tree, sha);
      await prepareTree(context, tree, log, signal);
      const result = await runSuite(context, tree, sha, log, signal);
      if (result.kind === "none") return { kind: "no_tests" };
      return { kind: isGreen(result.suite) ? "green" : "red", suite: result.suite };
    } catch (thrown) {
      const expected = ["workspace.setup_failed", "process.failed"];
      if (!(thrown instanceof CoherenceError) || !expected.includes(thrown.code)) throw thrown;
      const { tail } = thrown.data;
      return { kind: "setup_failed", message: thrown.message, tail: typeof tail === "string" ? tail : "" };
    } finally {
      await removeTree(context, tree.root);
    }
  });
}
