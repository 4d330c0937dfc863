import { CoherenceError, fail } from "../../ground/errors.ts";
import { sha256 } from "../../ground/id.ts";
import { headOf, isAncestor, moveBranch, unlockBranch } from "./branches.ts";
import { commitTree, headIn, setAside } from "./commit.ts";
import type { Context } from "./context.ts";
import { restoreManifest } from "./overlay.ts";
import { checkBranch, checkSha } from "./paths.ts";
import type { OpenRequest, Workspace } from "./port.ts";
import { layRules } from "./rules.ts";
import { ensureTree, exclusively, replaceFile, resetTree, type Note, type Tree } from "./tree.ts";
import { workspaceOf } from "./workspace.ts";

/**
 * Opens a branch's tree: ends what still runs in it, commits what an earlier attempt left, cleans. Throws `workspace.moved`
 * when it is being opened already; whoever had it open before can write no more.
 */
export async function openBranch(context: Context, request: OpenRequest): Promise<Workspace> {
  const { branch, from, log, signal } = request;
  checkBranch(branch);
  checkSha(from);
  return exclusively(context, branch, async () => {
    signal.throwIfAborted();
    await unlockBranch(context, branch);
    const begin = (await headOf(context, branch)) ?? (await createBranch(context, branch, from));
    const { tree, note, ended } = await ensureTree(context, branch, begin);
    if (ended > 0) log(`Ended ${ended} process groups that were still at work in ${tree.root}.`);
    await restoreManifest(tree);
    await layRules(context, tree, from);
    const seen = note ? await saveLeftovers(context, tree, { request, note, head: begin }) : begin;
    const token = sha256(`${note?.token ?? ""}\0${context.clock.now()}\0${process.pid}`);
    const write = (head: string) => replaceFile(tree.beside.note, JSON.stringify({ branch, token, seen: head }));
    await write(seen);
    return workspaceOf(context, tree, { branch, openedAt: seen, token, note: write });
  });
}

async function createBranch(context: Context, branch: string, from: string): Promise<string> {
  const { code, stdout } = await context.git.attempt(["rev-parse", "--verify", "--quiet", `${from}^{commit}`]);
  if (code !== 0) {
    throw fail("workspace.git", `${branch} cannot begin at ${from}: there is no such commit`, {
      remedy: "Begin at a commit of this repository.",
    });
  }
  await moveBranch(context, branch, null, stdout.trim());
  return stdout.trim();
}

/** Brings a used tree to its branch's head with nothing lost, and returns that head. */
async function saveLeftovers(
  context: Context,
  tree: Tree,
  at: { request: OpenRequest; note: Note; head: string },
): Promise<string> {
  const { branch, leftovers, log } = at.request;
  // The branch went on elsewhere: committing this tree's files onto it would undo what came since.
  const movedFrom = at.note.seen === at.head ? null : ((await headIn(tree)) ?? at.note.seen);
  if (movedFrom !== null && !(await isAncestor(context, at.head, movedFrom))) {
    const dirty = (await tree.git(["status", "--porcelain"])) !== "";
    if (dirty || !(await isAncestor(context, movedFrom, at.head))) {
      const kept = await setAside(context, tree, branch, `Work that ${branch} went on without`);
      log(
        `${branch} was moved by somebody else; what was left here is kept as refs/coherence/aside/${branch}/${kept.slice(0, 12)}.`,
      );
    }
    await resetTree(tree, at.head);
    return at.head;
  }
  if (leftovers === null) {
    await resetTree(tree, at.head);
    return at.head;
  }
  try {
    const message = "Save what an earlier attempt left";
    const target = { branch, seen: at.head };
    const made = await commitTree(context, tree, target, message, leftovers);
    if (made) log(`Committed what an earlier attempt left: ${made.slice(0, 12)}.`);
    await resetTree(tree, made ?? at.head);
    return made ?? at.head;
  } catch (thrown) {
    if (!(thrown instanceof CoherenceError) || thrown.code !== "workspace.secret") throw thrown;
    log(`What an earlier attempt left stays uncommitted: ${thrown.message}.`);
    return at.head;
  }
}
