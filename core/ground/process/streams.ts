import type { Readable, Writable } from "node:stream";
import type { Command } from "./port.ts";
import { keep, lines, type Kept } from "./output.ts";

const KEEP_BYTES = 64 * 1024;

/** Feeds a child's input and reads both its streams without pause, so that it never waits for us. */
export function connect(
  command: Command,
  child: { stdin: Writable; stdout: Readable; stderr: Readable },
): { stdout: Kept; stderr: Kept; end(): void } {
  // A child that ends without reading its input breaks the pipe: its own affair.
  child.stdin.on("error", () => {});
  child.stdin.end(command.input ?? "");
  const out = reader(command, "stdout", child.stdout);
  const err = reader(command, "stderr", child.stderr);
  return { stdout: out.kept, stderr: err.kept, end: () => (out.end(), err.end()) };
}

function reader(command: Command, name: "stdout" | "stderr", stream: Readable): { kept: Kept; end(): void } {
  const kept = keep(command.keepBytes ?? KEEP_BYTES);
  const { onLine } = command;
  const split = onLine && lines((line) => onLine(line, name));
  stream.on("error", () => {}); // "close" follows
  stream.on("data", (chunk: Buffer) => {
    kept.take(chunk);
    split?.take(chunk);
  });
  return { kept, end: () => split?.end() };
}
