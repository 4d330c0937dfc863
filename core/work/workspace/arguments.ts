import { fail } from "../../ground/errors.ts";

/**
 * Splits a setting into a program and its arguments: blanks separate, single quotes take everything as it is, double quotes
 * and the bare text know the backslash. Nothing is expanded and no shell is involved, so an operator of one is refused.
 * Throws `config.invalid`, naming the `variable`.
 */
export function splitCommand(text: string, variable: string): string[] {
  const words: string[] = [];
  const token = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsy;
  let word: string | null = null;
  while (token.lastIndex < text.length) {
    const found = token.exec(text);
    if (!found) throw invalid(variable, "a quote or a backslash without its end", "Close it.");
    const [all, single, double, escaped, bare] = found;
    if (bare !== undefined && /^(?:&&?|\|\|?|;|[<>].*|2>.*)$|;$/.test(bare)) {
      throw invalid(variable, `${bare} needs a shell, and none is used`, "Put the line into a script and name that.");
    }
    const part = single ?? double?.replace(/\\(["\\])/g, "$1") ?? escaped ?? bare;
    if (part !== undefined) word = (word ?? "") + part;
    else if (all !== "" && word !== null) {
      words.push(word);
      word = null;
    }
  }
  if (word !== null) words.push(word);
  if (words.length === 0) throw invalid(variable, "no command", `Unset ${variable}, or name a program.`);
  return words;
}

function invalid(variable: string, what: string, remedy: string) {
  return fail("config.invalid", `${variable}: ${what}`, { remedy });
}
