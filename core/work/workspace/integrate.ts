import { fail } from "../../ground/errors.ts";
import { headOf, isAncestor, moveBranch, unlockBranch } from "./branches.ts";
import { notRedder } from "./colour.ts";
import { commitObject } from "./commit.ts";
import type { Context } from "./context.ts";
import { mergeIntoTree } from "./merge.ts";
import { restoreManifest } from "./overlay.ts";
import { checkBranch, checkSha } from "./paths.ts";
import type { Integrated, IntegrateRequest } from "./port.ts";
import { prepareTree } from "./setup.ts";
import { runSuite } from "./suite.ts";
import { ensureTree, exclusively, replaceFile, resetTree } from "./tree.ts";

/** The branch moves only by an integration or a user's commits, one at a time: more moves than these under one merge is a fault. */
const MOST_TRIES = 5;

/** The label of the tree in which heads are merged into a branch. */
export function mergeLabel(into: string): string {
  return `merge/${into}`;
}

/**
 * Merges a head into a branch of ours in a detached tree, sets it up, runs the suite, and moves the branch by compare-and-swap
 * when it is not redder. Nothing but that move is seen from outside, so a kill at any point is safe. When the branch moved
 * meanwhile, the merge is made again on its new tip; throws `workspace.moved` after five times.
 */
export async function integrateHead(context: Context, request: IntegrateRequest): Promise<Integrated> {
  const { into, head, signal } = request;
  checkBranch(into);
  checkSha(head);
  return exclusively(context, mergeLabel(into), async () => {
    await unlockBranch(context, into);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      signal.throwIfAborted();
      const result = await integrateOnce(context, request);
      if (result) return result;
      request.log(`${into} moved meanwhile; merging again on its new tip.`);
    }
    throw fail("workspace.moved", `${into} moved ${MOST_TRIES} times while ${head.slice(0, 12)} was merged into it`, {
      remedy: "Find out who else moves it.",
      data: { branch: into },
    });
  });
}

async function integrateOnce(context: Context, request: IntegrateRequest): Promise<Integrated | null> {
  const { into, head, base, log, signal } = request;
  const tip = await headOf(context, into);
  if (tip === null) {
    throw fail("workspace.git", `There is no branch ${into} to merge into`, { remedy: "Make it first." });
  }
  if (await isAncestor(context, head, tip)) return { kind: "already", tip };

  const { tree } = await ensureTree(context, mergeLabel(into), tip);
  await restoreManifest(tree);
  await resetTree(tree, tip);
  await replaceFile(tree.beside.note, JSON.stringify({ branch: into, token: "", seen: tip }));
  const files = await mergeIntoTree(tree, head);
  if (files.length > 0) {
    await resetTree(tree, tip);
    return { kind: "conflict", files, tip };
  }
  const content = (await tree.git(["write-tree"])).trim();
  const made = await commitObject(tree, content, [tip, head], request.message, request.trailers, context);
  await resetTree(tree, made);
  await prepareTree(context, tree, log, signal);
  const result = await runSuite(context, tree, base, log, signal);
  const suite = result.kind === "ran" ? result.suite : null;
  if (suite && !notRedder(suite, request.notRedderThan)) return { kind: "red", suite, tip };
  try {
    await moveBranch(context, into, tip, made);
  } catch (thrown) {
    if ((await headOf(context, into)) !== tip) return null;
    throw thrown;
  }
  return { kind: "integrated", tip: made, suite };
}
