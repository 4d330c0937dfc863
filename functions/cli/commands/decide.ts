import type { Command } from "commander";
import { Failure } from "../failure.ts";
import { readNamed } from "../files.ts";
import type { Common } from "../shell.ts";
import { act } from "./act.ts";
import { JSON_FLAG, type Register } from "./command.ts";

/** `decide ID ANSWER`: answers what a task asks. */
export const decide: Register = (program) => {
  program
    .command("decide")
    .description("answer a task's question")
    .argument("<id>", "the task's id, whole")
    .argument("<answer>", "the answer, or - to read it from standard input")
    .option(...JSON_FLAG)
    .action(async (id: string, answer: string, _: unknown, command: Command) => {
      const decision = (answer === "-" ? readNamed("-").toString("utf8") : answer).trim();
      if (decision === "") throw new Failure("usage", "The answer is empty", 'Give one: coherence decide ID "answer"');
      await act(
        (api) => api.POST("/api/agent/tasks/{id}/decide", { params: { path: { id } }, body: { decision } }),
        command.optsWithGlobals<Common>(),
      );
    });
};
