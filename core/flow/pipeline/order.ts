import * as z from "zod";
import { CoherenceError } from "../../ground/errors.ts";
import type { Travelling } from "../../ground/workflow/index.ts";
import * as Attempt from "../../work/attempt/index.ts";
import * as Backlog from "../../work/backlog/index.ts";
import * as Provider from "../../work/provider/index.ts";
import * as Spend from "../../work/spend/index.ts";
import * as Task from "../../work/task/index.ts";
import * as Prompt from "../prompt/index.ts";
import * as Worker from "../worker/index.ts";
import type { Order, Tree } from "../worker/index.ts";
import type { PipelineDeps } from "./deps.ts";
import { moneyOf } from "./money.ts";

/**
 * Enters the next turn of a candidate, with its work order. `gone`: the attempt is served or another's by now. `failed`: it may not
 * be asked now, or no order can be made (a prompt override that nobody can use); why is left as the turn's failure.
 */
export async function enterWithOrder(
  deps: PipelineDeps,
  input: Travelling,
): Promise<{ kind: "order"; order: Order } | { kind: "gone" } | { kind: "failed" }> {
  let order: Order | undefined;
  let whole: Task.Whole | undefined;
  let problem: CoherenceError | undefined;
  const { taskId, attempt, candidate } = input;
  const entered = await Attempt.enter(deps.store, taskId, attempt, candidate, deps.work.leaseMs, async (next, task) => {
    whole = task;
    try {
      order = task && (await buildOrder(deps, next, task));
    } catch (error) {
      if (!(error instanceof CoherenceError)) throw error;
      problem = error;
    }
    return order ? remembered(order, task) : {};
  });
  if (entered.kind !== "entered") return { kind: "gone" };
  const refuse = async (failure: Task.Failure) => {
    const ref = { taskId, n: attempt, turn: entered.attempt.turn };
    const usage = entered.attempt.usage ?? Task.NO_USAGE;
    await Attempt.leaveFailure(deps.store, ref, { failure, output: "", usage, ms: 0 });
    return { kind: "failed" } as const;
  };
  if (order && whole) {
    const turned = await turnedAway(deps, order, whole, entered.attempt, input.kind === "continue");
    return turned.kind === "away" ? refuse(turned.failure) : { kind: "order", order: turned.order };
  }
  if (!problem) return { kind: "gone" };
  const message = Task.cut([problem.message, problem.remedy].filter(Boolean).join(". "), 1000);
  return refuse({ class: "bad_request", message });
}

/** What the turn is remembered by: its prompt, and the labels that its task's context gives it. */
function remembered({ prompt }: Order, task: Task.Whole | undefined): Attempt.Remembered {
  const labels = Labels.parse(task?.parts.context ?? {});
  return {
    prompt_sha: prompt.sha256,
    prompt_variant: prompt.variant,
    ...(labels.skill_version === undefined ? {} : { skill_version: labels.skill_version }),
    ...(labels.tags === undefined ? {} : { tags: labels.tags }),
  };
}

/** Labels of a context by which runs are told apart (spec 026); what is none of the kind is left out. */
const Labels = z.object({
  skill_version: z.string().min(1).max(80).optional().catch(undefined),
  tags: z
    .record(z.string().max(40), z.string().max(80))
    .refine((tags) => Object.keys(tags).length <= 20)
    .optional()
    .catch(undefined),
});

/**
 * Whether a candidate may be asked after all: not when no worker can take it any more, or the money is spent, or it failed others
 * since the plan, or one of them tests it. Who is admitted last of these goes: a test that is let pass and then turned away would
 * keep all others from it. A paid one's go is counted, and told what it may cost. A go that goes on behind its pause is the same
 * go: it was admitted and counted when it began, and only what it may cost bounds it.
 */
async function turnedAway(
  deps: PipelineDeps,
  order: Order,
  task: Task.Whole,
  attempt: Attempt.AttemptRow,
  goesOn: boolean,
): Promise<{ kind: "away"; failure: Task.Failure } | { kind: "go"; order: Order }> {
  const { candidate, ref } = order;
  const away = (failure: Task.Failure) => ({ kind: "away" as const, failure });
  if (candidate.where === "machine" && !goesOn) {
    const workers = await Worker.list(deps);
    if (!Worker.available(workers, candidate.provider, deps.clock.now())) return away(Worker.NOBODY_FREE);
  }
  const paid = deps.providers.all().find((one) => one.name === candidate.provider)?.capabilities.paid === true;
  const money = paid ? await moneyOf(deps, task, attempt, goesOn) : undefined;
  const stop = money?.stops[0];
  if (stop) return away({ class: "budget", message: stop.message });
  const target = Provider.targetOf(deps.providers, candidate);
  const admission = await Provider.admit(deps, target, Attempt.nameOf(ref));
  // A go that goes on began when it might.
  if (admission.kind === "cooling" && !goesOn)
    return away({ class: "cooling", message: `cooling down after ${admission.class}: not asked` });
  const admitted = admission.kind === "go" && admission.tests ? { ...order, tests: target } : order;
  if (paid && !goesOn) await Spend.countPaidRun(deps);
  if (money?.left === undefined) return { kind: "go", order: admitted };
  return { kind: "go", order: { ...admitted, limits: { ...order.limits, budgetUsd: money.left } } };
}

/** Builds the work order of a turn; the same for a run in place and for a machine's worker. */
async function buildOrder(
  deps: PipelineDeps,
  attempt: Attempt.AttemptRow,
  task: Task.Whole,
): Promise<Order | undefined> {
  const candidate = attempt.candidates?.[attempt.chosen];
  if (!candidate) return undefined;
  const { row } = task;
  const item = row.item ? await Backlog.item(deps, row.item.backlog, row.item.item) : undefined;
  const settings = await deps.settings();
  const handoff = await handoffOf(deps, row, attempt, item);
  const ref = row.item;
  const prompt = Prompt.build({
    task: { id: row.id, type: row.task_type, direction: row.direction, attempt: attempt.n },
    ...(ref
      ? { item: { backlog: ref.backlog, id: ref.item, text: row.direction, phase: ref.phase, round: ref.round } }
      : {}),
    ...(item ? { specPath: item.spec_path } : {}),
    ...(handoff.handoff ? { handoff: handoff.handoff } : {}),
    ...(row.decision !== undefined && row.decision_prompt !== undefined && row.decision_by !== "pipeline"
      ? { decision: { question: row.decision_prompt, answer: row.decision } }
      : {}),
    ...(handoff.conflicts.length > 0 && row.task_type === "impl" ? { conflict: { files: handoff.conflicts } } : {}),
    overrides: settings.prompts,
    ...(settings.testCommand ? { testCommand: settings.testCommand } : {}),
    ...(item?.base === undefined ? {} : { base: item.base }),
  });
  const contextMs = Number(task.parts.context?.max_runtime_seconds) * 1000;
  return {
    ref: { taskId: row.id, n: attempt.n, turn: attempt.turn },
    task: { id: row.id, type: row.task_type, direction: row.direction },
    ...(ref ? { item: { ...ref, text: row.direction } } : {}),
    candidate,
    spent: attempt.usage ?? Task.NO_USAGE,
    prompt,
    ...(item ? { specPath: item.spec_path } : {}),
    tree: deps.work.tree ? await treeOf(deps, row, item) : null,
    limits: {
      timeoutMs:
        Number.isFinite(contextMs) && contextMs > 0
          ? Math.max(30_000, Math.min(contextMs, deps.config.taskTimeoutMs))
          : deps.config.taskTimeoutMs,
      leaseMs: deps.work.leaseMs,
      // A machine's run has no step that ends.
      ...(deps.work.continueAfterMs === undefined || candidate.where !== "inline"
        ? {}
        : { continueAfterMs: deps.work.continueAfterMs }),
    },
  };
}

async function treeOf(deps: PipelineDeps, row: Task.TaskRow, item: Backlog.ItemRow | undefined): Promise<Tree> {
  if (!item)
    return {
      branch: Backlog.taskBranch(row.id),
      integration: null,
      lock: "",
      base: null,
      mergeTip: null,
      merge: false,
      accepted: null,
    };
  const backlog = await Backlog.backlog(deps, item.backlog);
  return {
    branch: Backlog.itemBranch(item.backlog, item.id),
    integration: Backlog.integrationBranch(item.backlog),
    lock: `merge#${item.backlog}`,
    base: item.base ?? null,
    mergeTip: row.task_type === "impl" ? (item.merge_tip ?? null) : null,
    merge: deps.work.merge,
    accepted: backlog?.base_suite ?? null,
  };
}

/** What earlier attempts, of this task or of the item's task before it, leave to this one. */
async function handoffOf(
  deps: PipelineDeps,
  row: Task.TaskRow,
  attempt: Attempt.AttemptRow,
  item: Backlog.ItemRow | undefined,
): Promise<{ handoff?: Prompt.Handoff; conflicts: string[] }> {
  const before = attempt.n > 1 ? await Attempt.readAll(deps.store, row.id, attempt.n - 1) : [];
  const tried = [...before.flatMap((one) => one.tried), ...attempt.tried];
  const seq = row.item?.seq ?? 1;
  // The first task of an item has nobody before it; a later one begins where the item's last task came to rest.
  const previous =
    row.item && seq > 1 ? await Task.read(deps.store, idOf(row.item.backlog, row.item.item, seq - 1)) : undefined;
  const last = previous ? await Attempt.read(deps.store, previous.row.id, previous.row.att) : undefined;
  const conflicts = last?.outcome?.kind === "conflict" ? last.outcome.files : [];
  const steppedBack = row.item !== undefined && row.item.round > 0;
  if (tried.length === 0 && before.length === 0 && !steppedBack && attempt.tried.length === 0) return { conflicts };
  // A first go leaves nothing to read.
  const parts = (await Task.read(deps.store, row.id))?.parts;
  const result = parts?.result ?? previous?.parts.result;
  const error = parts?.error ?? previous?.parts.error;
  return {
    conflicts,
    handoff: {
      tried,
      failing: result?.suite?.failures ?? [],
      tail:
        result?.suite && result.suite.exit !== 0
          ? result.suite.tail
          : (error?.excerpt ?? parts?.output?.slice(-4000) ?? ""),
      findings: [
        ...(result?.result?.findings ?? []),
        ...(item?.last === undefined ? [] : [`Why this round: ${item.last}`]),
      ],
      branchHead: result?.head ?? item?.head ?? null,
      whatIsThere: result && result.files.length > 0 ? `Changed so far: ${result.files.slice(0, 50).join(", ")}` : "",
    },
  };
}

function idOf(backlog: string, item: string, seq: number): string {
  return Task.idOfKey(Backlog.taskKey(backlog, item, seq));
}
