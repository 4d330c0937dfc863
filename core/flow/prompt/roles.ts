import { ROLES, type TaskType } from "../../work/task/index.ts";
import { TEMPLATES } from "./templates/index.ts";

/** A task type's role as a phrase: `reviewer (guard: spec-guard)`. */
export function roleOf(type: TaskType): string {
  const { agent, guards } = ROLES[type];
  return guards.length === 0 ? agent : `${agent} (guard: ${guards.join(", ")})`;
}

/** The agents and guards that prompts speak as: those of the types whose template names its role. */
export function profiles(): string[] {
  const spoken = Object.values(TEMPLATES).filter(({ text }) => text.includes("{{role}}"));
  return [...new Set(spoken.flatMap(({ id }) => [ROLES[id].agent, ...ROLES[id].guards]))];
}
