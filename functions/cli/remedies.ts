import type { Code } from "../../core/ground/errors.ts";

/** What to do about a refusal, by its code; the API says most of it itself, the contract's own sentences have none. */
const REMEDIES: Partial<Record<Code, string>> = {
  "task.not_found": "Take an id from `coherence tasks`, whole.",
  "task.log_not_found": "It has not begun; `coherence task ID` shows what it waits for.",
  "task.claimed": "Wait for its lease to end, or `coherence release ID`.",
  "task.transition": "`coherence task ID` shows what it is now.",
  "task.of_item": "Use cancel, retry, release or decide.",
  "item.not_found": "`coherence items` lists them.",
  "backlog.not_found": "Push one: `coherence backlog push FILE`.",
  "backlog.invalid": "`coherence backlog check FILE` lists the problems.",
  "lease.lost": "Nothing: it changed nothing. Look again with `coherence task ID`.",
  "host.forbidden": "Use the address that the host printed, 127.0.0.1 with its port.",
  "input.too_large": "Split the file, or put long text into a file of the repository.",
  "auth.missing": "Give the key in the address: http://any:KEY@host.",
  "auth.scope": "Use a key that may do this.",
  "store.unavailable": "Look at the host's log, then start it again.",
  not_found: "The host may be older than this command: use the command of its checkout.",
};

/** One line on what to do about a refusal. */
export function remedyFor(code: string | undefined, status: number): string {
  const known = (REMEDIES as Record<string, string | undefined>)[code ?? ""];
  if (known !== undefined) return known;
  if (status >= 500) return "Look at the host's log; what was asked may not have been done.";
  return status === 422 ? "Correct what is named: `coherence COMMAND --help`." : "Look again: `coherence status`.";
}
