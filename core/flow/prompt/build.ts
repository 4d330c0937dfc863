import { sha256 } from "../../ground/id.ts";
import { resultSection } from "./ask.ts";
import { handoffSection } from "./handoff.ts";
import type { Built, Input } from "./input.ts";
import { judgedSection } from "./judged.ts";
import { checkOverride, expand, places, type Values } from "./placeholders.ts";
import { roleOf } from "./roles.ts";
import { conflictSection, decisionSection, factsSection, rulesSection } from "./sections.ts";
import { TEMPLATES } from "./templates/index.ts";
import { fenced, inline } from "./text.ts";

/**
 * The prompt of one attempt. The template, ours or the user's, is its first part; what the pipeline depends on (the
 * direction, the rules, the handoff, the result block) follows whatever the template says. Throws `config.invalid` for an
 * override that cannot be used.
 */
export function build(input: Input): Built {
  const { text, variant } = templateOf(input);
  const sections = [
    expand(text, valuesOf(input)).trim(),
    places(text, "direction") ? "" : `## The work\n\n${fenced(input.task.direction)}`,
    factsSection(input),
    input.conflict ? conflictSection(input.conflict) : "",
    input.decision ? decisionSection(input.decision) : "",
    input.handoff ? handoffSection(input.handoff) : "",
    rulesSection(),
    judgedSection(input.task.type, input.item !== undefined),
    resultSection(input.task.type),
  ];
  const prompt = `${sections.filter((section) => section !== "").join("\n\n")}\n`;
  return { text: prompt, sha256: sha256(prompt), variant };
}

function templateOf({ task, overrides }: Input): { text: string; variant: string } {
  const override = overrides?.[task.type];
  if (override === undefined) {
    const { id, version, text } = TEMPLATES[task.type];
    return { text, variant: `${id}@${version}` };
  }
  checkOverride(task.type, override);
  return { text: override, variant: `${task.type}@override-${sha256(override).slice(0, 8)}` };
}

function valuesOf({ task, item, specPath, testCommand, base }: Input): Values {
  return {
    role: roleOf(task.type),
    task_id: inline(task.id),
    attempt: String(task.attempt),
    item_id: item ? inline(item.id) : "(none)",
    round: String(item?.round ?? 0),
    direction: fenced(task.direction),
    spec_path: specPath === undefined ? noSpec(task.type) : inline(specPath),
    test_command: testCommand === undefined ? "(none is known)" : testCommand.map(argument).join(" "),
    base: base === undefined ? "(not known)" : inline(base),
  };
}

function noSpec(type: Input["task"]["type"]): string {
  return type === "spec" ? "(none is named: choose one under specs/ and give it as spec_path)" : "(none is named)";
}

/** An argument as a person reads it in a command: quoted when it holds more than plain characters. */
function argument(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : JSON.stringify(text);
}
