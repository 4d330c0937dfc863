import { CoherenceError } from "../../ground/errors.ts";
import * as Task from "../../work/task/index.ts";
import { notRedder, type Repository, type Workspace } from "../../work/workspace/index.ts";
import * as Prompt from "../prompt/index.ts";
import * as Review from "../review/index.ts";
import { runAgent, type Tools } from "./agent.ts";
import { treeTools } from "./tree-tools.ts";
import { integrate } from "./integrate.ts";
import { trailers, type Report, type TreeOrder } from "./order.ts";

/**
 * A finished agent's result, saved before and after its commit; `head` null: not committed yet. What it used is kept with it on
 * its attempt: whoever goes on from it in another one used nothing.
 */
type Finished = { output: string; head: string | null };

/** An order on a repository: open the branch, let the agent work, keep what it left, judge the evidence, merge a passed review. */
export async function carryOutOnTree(
  tools: Tools,
  order: TreeOrder,
  report: Report,
  say: (step: string) => void,
  signal: AbortSignal,
  stopBy?: AbortSignal,
): Promise<void> {
  const repository = tools.repository as Repository;
  const begun = await begin(repository, order, report, say, signal);
  if (begun.kind === "question")
    return report.outcome(
      { kind: "question", question: begun.question },
      null,
      "",
      Task.addUsage(order.spent, Task.NOTHING),
    );
  const { workspace, base, began } = begun;
  const spent = Task.addUsage(order.spent, Task.NOTHING);

  const head = await workspace.head();
  const { integration } = order.tree;
  // A kill between the merge and its outcome: the head is in the branch, there is nothing left to do.
  if (
    order.task.type === "review" &&
    integration !== null &&
    head !== base &&
    (await repository.contains(integration, head))
  ) {
    const tip = (await repository.head(integration)) ?? head;
    const said = (await report.saved<Finished>("finished"))?.value;
    const output = said?.output ?? "";
    const parsed = Prompt.parseResult(output);
    const result = parsed.kind === "result" ? parsed.result : null;
    const evidence = { result, files: [], suite: null, base, head, spec_path: null, note: "was merged already" };
    return report.outcome({ kind: "passed", head, tip }, evidence, output, spent);
  }

  say("setting up the worktree");
  await workspace.prepare(report.log, signal);

  let finished = await resume(report, head);
  let usage = spent;
  if (finished) say("going on from the finished agent's result");
  else {
    say(`${order.candidate.provider} ${order.candidate.model} works`);
    await report.save("working", { head });
    const place = { cwd: workspace.root, tree: treeTools(workspace, base, report.log) };
    const result = await runAgent(tools, order, place, report, signal, stopBy);
    // What is in the tree stays there: whoever opens it next commits it first.
    if (result.kind === "paused") return;
    if (result.kind === "failed") {
      await (judges(order) ? workspace.reset() : keep(workspace, order));
      return report.fail(result.failure, result.output, result.usage);
    }
    finished = { output: result.output, head: null };
    usage = result.usage;
    await report.save("finished", finished);
    await tools.at("agent-finished", order.ref);
  }

  say("committing");
  if (judges(order)) await workspace.reset();
  else {
    const refused = await keep(workspace, order);
    if (refused) return report.outcome({ kind: "bad", ...refused }, null, finished.output, usage);
  }
  const committed = await workspace.head();
  await report.save("finished", { ...finished, head: committed });
  await tools.at("committed", { ...order.ref, head: committed });

  const evidence = await gather(workspace, order, base, began, committed, finished.output, report, say, signal);
  if (evidence.kind === "later") return report.postpone(evidence.why);
  const { shown, judgement } = evidence;
  switch (judgement.kind) {
    case "question":
      return report.outcome({ kind: "question", question: judgement.question }, shown, finished.output, usage);
    case "bad":
      return report.outcome(
        { kind: "bad", message: judgement.message, remedy: judgement.remedy },
        shown,
        finished.output,
        usage,
      );
    case "rejected": {
      const findings = shown.result?.findings.length ? shown.result.findings : judgement.findings;
      const said = { ...shown, result: shown.result ? { ...shown.result, findings } : null };
      return report.outcome({ kind: "rejected", head: committed }, said, finished.output, usage);
    }
    case "red":
      return report.outcome({ kind: "red", head: committed }, shown, finished.output, usage);
    case "passed": {
      const noted = { ...shown, note: judgement.notes.join("; ") };
      if (order.task.type !== "review" || integration === null || !order.tree.merge || !order.item)
        return report.outcome({ kind: "passed", head: committed }, noted, finished.output, usage);
      say("merging");
      return integrate(
        tools,
        repository,
        { ...order, head: committed, base },
        report,
        noted,
        { output: finished.output, usage },
        signal,
      );
    }
  }
}

/** What a review leaves in the tree is dropped, also after a kill: it judges, it does not change. */
function judges(order: TreeOrder): boolean {
  return order.task.type === "review";
}

type Begun =
  { kind: "begun"; workspace: Workspace; base: string; began: string } | { kind: "question"; question: Task.Question };

/** Finds the base, opens the branch, merges the tip a round begins with. */
async function begin(
  repository: Repository,
  order: TreeOrder,
  report: Report,
  say: (step: string) => void,
  signal: AbortSignal,
): Promise<Begun> {
  const { tree } = order;
  let base = tree.base;
  if (base === null) {
    say("finding the base");
    const found = await findBase(repository, order, report, signal);
    if (found.kind === "question") return found;
    base = found.base;
    await report.began(base);
  }
  say("opening the worktree");
  const workspace = await repository.open({
    branch: tree.branch,
    from: base,
    leftovers: judges(order) ? null : { ...trailers(order), "Coherence-Leftovers": "true" },
    signal,
    log: report.log,
  });
  const already = await report.saved<{ head: string }>("began");
  let began = already?.value.head ?? (await workspace.head());
  if (tree.mergeTip !== null && !(await repository.contains(tree.branch, tree.mergeTip))) {
    say("merging what was integrated meanwhile");
    const merged = await workspace.merge(tree.mergeTip, trailers(order));
    if (merged.kind === "merged") began = merged.head;
    else report.log(`[pipeline] conflicts to resolve: ${merged.files.join(", ")}`);
  }
  if (!already) await report.save("began", { head: began });
  return { kind: "begun", workspace, base, began };
}

/** The integration tip, with the user's new commits brought in first, by the steps of an integration. */
async function findBase(
  repository: Repository,
  order: TreeOrder,
  report: Report,
  signal: AbortSignal,
): Promise<{ kind: "base"; base: string } | Extract<Begun, { kind: "question" }>> {
  const { integration, accepted, lock } = order.tree;
  const user = await repository.user();
  if (integration === null) return { kind: "base", base: user.head };
  const tip = await repository.ensureIntegration(integration);
  if (await repository.contains(integration, user.head)) return { kind: "base", base: tip };
  const unlock = await report.lock(lock, signal);
  try {
    const merged = await repository.integrate({
      into: integration,
      head: user.head,
      message: `Bring in ${user.branch ?? user.head.slice(0, 12)}`,
      trailers: trailers(order),
      notRedderThan: accepted,
      base: user.head,
      log: report.log,
      signal,
    });
    switch (merged.kind) {
      case "integrated":
      case "already":
        return { kind: "base", base: merged.tip };
      case "conflict":
        return ask(
          `Your branch and ${integration} conflict in ${merged.files.join(", ")}. Merge ${integration} into your branch, then answer "done".`,
        );
      case "red":
        return ask(
          `Your branch and ${integration} merge, and their tests are red together (${merged.suite.failures.slice(0, 5).join(", ")}). Mend your branch, then answer "done".`,
        );
      case "later":
        return { kind: "base", base: tip };
    }
  } finally {
    await unlock();
  }
}

function ask(prompt: string): Extract<Begun, { kind: "question" }> {
  return { kind: "question", question: { prompt: prompt.slice(0, 4000), options: ["done"] } };
}

/** A finished agent's result for this head, of an attempt that came to no outcome: it is not paid twice. */
async function resume(report: Report, head: string): Promise<Finished | undefined> {
  const saved = await report.saved<Finished>("finished", true);
  if (!saved) return undefined;
  if (saved.value.head === head) return saved.value;
  if (saved.value.head !== null) return undefined;
  // Not committed by then: opening the tree has done it since, and no agent has begun anew.
  const began = await report.saved("working");
  return began && (began.n > saved.n || (began.n === saved.n && began.turn > saved.turn)) ? undefined : saved.value;
}

/** Commits what is in the tree, whatever it is worth; a refusal (a key among it) says why. */
async function keep(workspace: Workspace, order: TreeOrder): Promise<{ message: string; remedy: string } | undefined> {
  try {
    const { item } = order;
    const what = item
      ? `${item.phase}: ${Prompt.title(item.text)}`
      : `${order.task.type}: ${Prompt.title(order.task.direction)}`;
    await workspace.commit(what.slice(0, 100), trailers(order));
    return undefined;
  } catch (error) {
    if (!(error instanceof CoherenceError) || error.code !== "workspace.secret") throw error;
    await workspace.reset();
    return { message: error.message, remedy: error.remedy ?? "Leave keys out of the tree." };
  }
}

type Gathered = { kind: "judged"; shown: Task.Evidence; judgement: Review.Judgement } | { kind: "later"; why: string };

/** What the pipeline sees for itself, and what follows from it. */
async function gather(
  workspace: Workspace,
  order: TreeOrder,
  base: string,
  began: string,
  head: string,
  output: string,
  report: Report,
  say: (step: string) => void,
  signal: AbortSignal,
): Promise<Gathered> {
  // All there is has been committed, or dropped, by now.
  const { present: sinceItem } = await workspace.committed(base);
  const { files: sinceTask } = await workspace.committed(began);
  const markers = await workspace.markers();
  let suite: Task.Suite | null = null;
  if (order.task.type !== "spec") {
    say("running the tests");
    const ran = await workspace.test(base, report.log, signal);
    if (ran.kind === "later") return { kind: "later", why: ran.why };
    suite = ran.kind === "ran" ? ran.suite : null;
  }
  const result = Prompt.parseResult(output);
  const judgement = Review.judge({
    phase: order.task.type,
    requireEvidence: order.item !== undefined,
    ...(order.specPath === undefined ? {} : { specPath: order.specPath }),
    filesSinceItem: sinceItem,
    filesSinceTask: sinceTask,
    markers,
    suite,
    notRedder: suite === null ? order.tree.accepted === null : notRedder(suite, order.tree.accepted),
    result,
  });
  const block = result.kind === "result" ? result.result : null;
  const shown: Task.Evidence = {
    result: block,
    files: sinceTask.slice(0, 200),
    suite,
    base,
    head,
    spec_path: order.specPath ?? block?.spec_path ?? null,
    note: "",
  };
  return { kind: "judged", shown, judgement };
}
