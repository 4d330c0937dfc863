import { InvalidArgumentError, type Command } from "commander";
import type { Answer } from "../client.ts";
import { print } from "../shell.ts";

/** Adds a command to the program. */
export type Register = (program: Command) => void;

/** `--json`: the API's answer to the letter. */
export const JSON_FLAG = ["--json", "print the API's answer as it is"] as const;

/** Prints an answer: as it came with `--json`, else what `text` makes of it. */
export function show<T>(answer: Answer<T>, json: boolean | undefined, text: (data: T) => string): void {
  print(json ? answer.raw : text(answer.data));
}

/** The path of a task's route. An id is a path segment, whatever it holds. */
export function taskPath(id: string, rest = ""): string {
  return `/api/agent/tasks/${encodeURIComponent(id)}${rest}`;
}

/** Reads an option that is a whole number from `min` to `max`; what is not is bad usage. */
export function whole(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
    return number;
  };
}

/** A query string of what is given. */
export function query(values: Record<string, string | number | undefined>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? "" : `?${given.toString()}`;
}
