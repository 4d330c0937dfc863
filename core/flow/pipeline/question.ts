import type { Deps } from "../../ground/deps.ts";
import type * as Task from "../../work/task/index.ts";

const OF_A_QUESTION = ["decision_options", "decision_default", "decision_due", "decision_by"] as const;

type Asked = Pick<Task.TaskRow, "decision_prompt"> &
  Partial<Pick<Task.TaskRow, (typeof OF_A_QUESTION)[number] | "current_step">>;

/** How a task becomes a question. What an earlier one offered, and the answer it got, are no answer to this one. */
export function asking(asked: Asked): { set: Asked; remove: (keyof Task.TaskRow)[]; until?: number } {
  const { decision_due: until } = asked;
  return {
    set: asked,
    remove: ["decision", ...OF_A_QUESTION.filter((field) => asked[field] === undefined)],
    ...(until === undefined ? {} : { until }),
  };
}

/** When a question that is asked now and has no default expires, in ms; undefined: never. */
export function expiryOf({ config, clock }: Pick<Deps, "config" | "clock">): number | undefined {
  return config.decisionTimeoutMs > 0 ? clock.now() + config.decisionTimeoutMs : undefined;
}
