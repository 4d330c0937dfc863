import { InvalidArgumentError, type Command } from "commander";
import type { Answer } from "../client.ts";
import { print } from "../shell.ts";

/** Adds a command to the program. */
export type Register = (program: Command) => void;

/** `--json`: the API's answer to the letter. */
export const JSON_FLAG = ["--json", "print the API's answer as it is"] as const;

/** `--watch`: the same again and again. */
export const WATCH_FLAG = ["-w, --watch", "redraw it in place until interrupted"] as const;

/** Prints an answer: as it came with `--json`, else what `text` makes of it. */
export function show<T>(answer: Answer<T>, json: boolean | undefined, text: (data: T) => string): void {
  print(json ? answer.raw : text(answer.data));
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
