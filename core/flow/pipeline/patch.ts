import * as z from "zod";
import * as Task from "../../work/task/index.ts";

/** What a client may change (contract 1.1.2). `cancelled` is set by the verb `cancel` alone. */
export const Update = z.object({
  status: z.enum(["pending", "running", "completed", "failed", "needs_decision"]).nullish(),
  output: z.string().nullish().describe("What it printed; of much, head and tail are kept"),
  progress_pct: z.number().int().min(0).max(100).nullish(),
  current_step: z.string().nullish(),
  decision_prompt: z.string().nullish().describe("What it asks, with the status needs_decision"),
  decision: z.string().nullish().describe("The answer to what it asks"),
  context: Task.ClientContext.nullish().describe("Merged into what is there, key by key"),
  worker_id: z.string().min(1).max(200).nullish().describe("Who says so: the one who claimed it"),
  target_state: Task.trimmed(600).nullish(),
  success_evidence: Task.evidence.nullish(),
  abort_evidence: Task.evidence.nullish(),
  observation_window_sec: z.coerce.number().int().min(1).max(604_800).nullish(),
  /** Ours. */
  error: z.string().max(4000).nullish().describe("Why it failed"),
  /** Ours. */
  priority: z.number().int().min(0).max(99).nullish().describe("Higher goes first"),
});
export type Update = z.infer<typeof Update>;

/** Who claims without a name (contract 2.4). */
export const UNKNOWN_WORKER = "unknown";

/** Who calls: on loopback without a worker id an operator, elsewhere whoever the key is. */
export type Caller = { kind: "operator" } | { kind: "key"; id: string };

/** The worker that a PATCH names, or undefined: then an operator speaks, or whoever the key is. */
export function nameIn(patch: Update): string | undefined {
  const named = patch.worker_id?.trim() || patch.context?.runner_id;
  return typeof named === "string" && named !== "" ? named : undefined;
}

/** What a caller with a key claims as when he names no worker. */
export function keyName(caller: Caller): string | undefined {
  return caller.kind === "key" ? `key:${caller.id}` : undefined;
}
