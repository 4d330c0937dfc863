import { fail } from "../../core/ground/errors.ts";
import { maskAll, maskOf } from "../../core/ground/mask.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import type * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import type { Suite } from "../../core/work/task/index.ts";
import type { Repository } from "../../core/work/workspace/index.ts";

/**
 * Set-up and suite, once, on the base, before the first item. Throws what a person must mend: `workspace.setup_failed`,
 * `workspace.base_red`, `workspace.no_tests`. A colour that is known for the commit is not found again.
 */
export async function checkBase(
  deps: Pipeline.PipelineDeps,
  repository: Repository,
  backlog: string,
  acceptRed: boolean,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const branch = Backlog.integrationBranch(backlog);
  const tip = (await repository.head(branch)) ?? (await repository.user()).head;
  const key = Keys.backlog(backlog);
  const known = (await Store.get(deps.store, key)) as Backlog.BacklogRow | undefined;
  const checked = known?.base_checked;
  const same = checked === tip;
  // What came after a green base came by integrations, which are green; a red one may have been mended since.
  if (known?.base_state === "green" && checked !== undefined && (same || (await repository.contains(branch, checked))))
    return;
  if (known?.base_state !== undefined && known.base_state !== "green" && acceptRed && same) return;
  say(`checking the base ${tip.slice(0, 12)}: set-up and tests, once`);
  // A suite can read what the host was started with; its end is kept, and shown.
  const mask = maskOf(deps.config.environment);
  const check = maskAll(mask, await repository.checkBase(tip, () => {}, signal));
  const remember = (base_state: Backlog.BacklogRow["base_state"], suite: Suite | null) =>
    Store.write(deps.store, { kind: "update", key, set: { base_checked: tip, base_state, base_suite: suite } });
  switch (check.kind) {
    case "green":
      await remember("green", check.suite);
      return say(`the base is green: ${describe(check.suite)}`);
    case "red":
      if (acceptRed) {
        await remember("red", check.suite);
        return say(`the base is red and accepted so (${describe(check.suite)}): green means not redder`);
      }
      throw fail(
        "workspace.base_red",
        `The tests are red before any work (${describe(check.suite)})\n${check.suite.tail}`,
        {
          remedy: "Mend them, or begin all the same with --accept-red-base.",
        },
      );
    case "no_tests":
      if (acceptRed) {
        await remember("no_tests", null);
        return say("the base has no tests, and is accepted so");
      }
      throw fail("workspace.no_tests", "No test command was found for the repository", {
        remedy: "Set COHERENCE_TEST_COMMAND, or give it a test script; or begin all the same with --accept-red-base.",
      });
    case "setup_failed":
      throw fail("workspace.setup_failed", `${check.message}\n${check.tail}`, {
        remedy: "Make the set-up work on a fresh checkout, or set COHERENCE_SETUP_COMMAND.",
      });
  }
}

function describe(suite: Suite): string {
  const counts = suite.passed === null ? "counts unknown" : `${suite.passed} passed, ${suite.failed ?? 0} failed`;
  return `${suite.command.join(" ")}: exit ${suite.exit}, ${counts}`;
}
