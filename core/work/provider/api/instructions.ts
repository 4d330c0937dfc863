/** What a model is told about where it is; the work itself is in the prompt. `names` are the tools it has. */
export function instructionsFor(names: readonly string[]): string {
  if (names.length === 0) return "Answer in one message: you have no tools and no files.";
  const changes = names.includes("write");
  return [
    "You work on a git worktree through the tools you have; you have no shell and need none.",
    "Paths are relative to the root of the worktree. Files that are ignored, and those of git itself, are out of reach.",
    changes
      ? "What you change is committed for you. Run the tests before you say that you are done."
      : "You judge: you can read everything and run the tests, and change nothing.",
    "Nobody reads along and nobody answers: go on until the work is done. Your last message, without a tool call, is your answer.",
  ].join("\n");
}
