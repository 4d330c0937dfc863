/** A program to run: a file and an argument array, never a line for a shell. */
export type Command = {
  file: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment of the child; nothing is inherited. Start from `baseEnv()`. */
  env: Readonly<Record<string, string>>;
  /** Written to standard input, which is then closed; absent: closed at once. */
  input?: string;
  /** Each line of output as it comes, without its end; lines over 64 KiB come in pieces. */
  onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Bytes kept of each stream, half from its head and half from its tail (default 64 KiB). */
  keepBytes?: number;
  /** Ms between SIGTERM and SIGKILL to the group when the signal aborts (default 10 000). */
  graceMs?: number;
};

export type Exit = {
  /** Exit code, or null when a signal ended it. */
  code: number | null;
  signal: string | null;
  /** True when our own abort ended it: this outranks the exit code. */
  aborted: boolean;
  /** What was kept of each stream: head, a line saying how much is left out, tail. */
  stdout: string;
  stderr: string;
  ms: number;
};
