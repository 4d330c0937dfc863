import { fail } from "../../ground/errors.ts";
import type { TaskType } from "../../work/task/index.ts";

/** Every placeholder that a template may hold, written `{{name}}`. */
export const PLACEHOLDERS = [
  "role",
  "task_id",
  "attempt",
  "item_id",
  "round",
  "direction",
  "spec_path",
  "test_command",
  "base",
] as const;

/** What each placeholder stands for in one prompt. */
export type Values = Readonly<Record<(typeof PLACEHOLDERS)[number], string>>;

/** Characters; a longer override would crowd out the work itself. */
const LONGEST_OVERRIDE = 20_000;

const ANY = /\{\{([^{}]*)\}\}/g;

/** Where a user's repository keeps its own template of a task type. */
export function overridePath(type: TaskType): string {
  return `.coherence/prompts/${type}.md`;
}

/** Throws `config.invalid`, naming the file and the known placeholders, when an override cannot be used. */
export function checkOverride(type: TaskType, text: string): void {
  const path = overridePath(type);
  if (text.trim() === "")
    throw fail("config.invalid", `${path} is empty`, {
      remedy: "Write the template's text into it, or delete the file to use the built-in one.",
    });
  if (text.length > LONGEST_OVERRIDE)
    throw fail("config.invalid", `${path} has ${text.length} characters, at most ${LONGEST_OVERRIDE} are taken`, {
      remedy: "Shorten it; longer guidance belongs into a file of the repository that the agent can read.",
    });
  const unknown = [...new Set(Array.from(text.matchAll(ANY), (found) => found[0]).filter((found) => !isKnown(found)))];
  if (unknown.length > 0)
    throw fail("config.invalid", `${path} holds unknown placeholders: ${unknown.join(", ").slice(0, 400)}`, {
      remedy: `Known are ${PLACEHOLDERS.map((name) => `{{${name}}}`).join(", ")}.`,
      data: { unknown, known: PLACEHOLDERS },
    });
}

/** Puts the values in, in one pass: a value that itself holds `{{x}}` stays as it is. */
export function expand(template: string, values: Values): string {
  return template.replace(ANY, (whole: string, name: string) => {
    const known = PLACEHOLDERS.find((each) => each === name.trim());
    return known === undefined ? whole : values[known];
  });
}

/** Whether a template says itself where a placeholder's value stands. */
export function places(template: string, name: (typeof PLACEHOLDERS)[number]): boolean {
  return Array.from(template.matchAll(ANY)).some((found) => found[1]?.trim() === name);
}

function isKnown(found: string): boolean {
  return PLACEHOLDERS.some((name) => name === found.slice(2, -2).trim());
}
