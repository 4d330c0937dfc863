import type { TaskType } from "../../work/task/index.ts";

/** Who works on a task type and which guards stand beside: the names of contract 2.3. */
export const ROLES: Readonly<Record<TaskType, { agent: string; guards: readonly string[] }>> = {
  spec: { agent: "product-manager", guards: [] },
  test: { agent: "qa-engineer", guards: [] },
  impl: { agent: "dev-engineer", guards: [] },
  review: { agent: "reviewer", guards: ["spec-guard"] },
  heal: { agent: "dev-engineer", guards: [] },
};

/** A task type's role as a phrase: `reviewer (guard: spec-guard)`. */
export function roleOf(type: TaskType): string {
  const { agent, guards } = ROLES[type];
  return guards.length === 0 ? agent : `${agent} (guard: ${guards.join(", ")})`;
}
