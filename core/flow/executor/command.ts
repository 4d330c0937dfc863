import { ROLES, type TaskType } from "../../work/task/index.ts";

/** Where a command template takes the prompt. */
export const PLACE = "{{direction}}";

/** A word that no shell reads anything into. */
const PLAIN = /^[A-Za-z0-9._:/@+-]+$/;

/** The prompt that a contract runner's command carries (contract 3.4). */
export function promptOf(type: TaskType, direction: string): string {
  const { agent, guards } = ROLES[type];
  const beside = guards.length > 0 ? ` Guard agents: ${guards.join(", ")}.` : "";
  return `Role agent: ${agent}.${beside} Task type: ${type}. Respect role boundaries, spec scope, and acceptance criteria. Direction: ${direction}`;
}

/** Whether a text is a word that no shell reads anything into, whatever quotes it stands in. */
export function isPlain(model: string): boolean {
  return PLAIN.test(model);
}

/** A template with every `--model` set to `model`, a plain word, or with one behind it; as it is without a model. */
export function withModel(template: string, model: string | undefined): string {
  if (model === undefined) return template;
  const option = `--model ${model}`;
  const given = /--model(?:\s+|=)\S+/g;
  return given.test(template) ? template.replace(given, () => option) : `${template} ${option}`;
}

/**
 * The command that contract runners hand to a shell; we never do. The text stands in POSIX single quotes, whatever quotes the
 * template has around its place: inside double ones a shell would run what the direction holds in back-ticks.
 */
export function commandOf(template: string, text: string): string {
  const prompt = quoted(text);
  let out = "";
  let quote = "";
  for (let i = 0; i < template.length;) {
    const char = template.charAt(i);
    const isQuote = char === "'" || char === '"';
    if (quote === "" && isQuote && template.startsWith(`${PLACE}${char}`, i + 1)) {
      out += prompt;
      i += PLACE.length + 2;
    } else if (template.startsWith(PLACE, i)) {
      // Quotes that hold more than the place are closed before it and opened again behind it.
      out += `${quote}${prompt}${quote}`;
      i += PLACE.length;
    } else {
      if (quote === "" && isQuote) quote = char;
      else if (char === quote) quote = "";
      // A character behind a backslash is itself, but within single quotes.
      const length = char === "\\" && quote !== "'" ? 2 : 1;
      out += template.slice(i, i + length);
      i += length;
    }
  }
  return out;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
