import * as z from "zod";
import { fail } from "../../ground/errors.ts";
import * as Task from "../../work/task/index.ts";

/** Characters of a worker's name (contract 1.1.2). */
const LONGEST_NAME = 200;

/** What a client may change (contract 1.1.2). `cancelled` is set by the verb `cancel` alone. */
export const Update = z.object({
  status: z.enum(["pending", "running", "completed", "failed", "needs_decision"]).nullish(),
  output: z.string().nullish().describe("What it printed; of much, head and tail are kept"),
  progress_pct: z.number().int().min(0).max(100).nullish(),
  current_step: z.string().nullish(),
  decision_prompt: z.string().nullish().describe("What it asks, with the status needs_decision"),
  decision: z.string().nullish().describe("The answer to what it asks"),
  context: Task.ClientContext.nullish().describe("Merged into what is there, key by key"),
  worker_id: z.string().min(1).max(LONGEST_NAME).nullish().describe("Who says so: the one who claimed it"),
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

/**
 * The worker that a PATCH names, or undefined: then an operator speaks, or whoever the key is. Throws `input.invalid` (422) for a
 * `context.runner_id` that is too long for a name.
 */
export function nameIn(patch: Update): string | undefined {
  const worker = patch.worker_id?.trim();
  if (worker) return worker;
  const { runner_id } = patch.context ?? {};
  const name = typeof runner_id === "string" ? runner_id.trim() : "";
  if (Task.lengthOf(name) > LONGEST_NAME)
    throw fail("input.invalid", `String should have at most ${LONGEST_NAME} characters`, {
      data: { loc: ["body", "context", "runner_id"] },
    });
  return name === "" ? undefined : name;
}

/** What a caller with a key claims as when he names no worker. */
export function keyName(caller: Caller): string | undefined {
  return caller.kind === "key" ? `key:${caller.id}` : undefined;
}
