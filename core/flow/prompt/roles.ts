import { ROLES, type TaskType } from "../../work/task/index.ts";

/** A task type's role as a phrase: `reviewer (guard: spec-guard)`. */
export function roleOf(type: TaskType): string {
  const { agent, guards } = ROLES[type];
  return guards.length === 0 ? agent : `${agent} (guard: ${guards.join(", ")})`;
}
