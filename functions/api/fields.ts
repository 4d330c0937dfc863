import * as z from "zod";
import { fail } from "../../core/ground/errors.ts";

/** How many rows an answer has at most (contract: 20, 1 to 100). */
export const limit = z.number().int().min(1).max(100).default(20).describe("Rows of an answer, at most");

/** Rows passed over. */
export const offset = z
  .number()
  .int()
  .min(0)
  .default(0)
  .describe("Rows passed over; further on a list goes by cursor at less cost");

/** A text that will be an argument of a process or a name: trimmed, 1 to `max` characters, no NUL. */
export const line = (max: number) => z.string().trim().min(1).max(max).refine(hasNoNul, NO_NUL);

const NO_NUL = "must not contain a NUL character";

function hasNoNul(text: string): boolean {
  return !text.includes("\0");
}

/** Refuses a NUL in these fields of a body: no process takes it as an argument. For `superRefine`. */
export function withoutNul(...fields: readonly string[]) {
  return (body: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    for (const field of fields) {
      const value = body[field];
      if (typeof value === "string" && !hasNoNul(value))
        context.addIssue({ code: "custom", path: [field], message: NO_NUL });
    }
  };
}

/** The contract's sentence for a task that is not there. */
export const NO_TASK = "Task not found";

/** The id as it was given; throws `task.not_found` (404) for what cannot be one, so that no such key reaches the table. */
export function taskId(given: string): string {
  if (!isTaskId(given)) throw fail("task.not_found", NO_TASK);
  return given;
}

/** Whether a text can be a task's id. */
export function isTaskId(given: string): boolean {
  return /^task_[0-9a-f]{16}$/.test(given);
}
