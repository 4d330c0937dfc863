import type { Command } from "commander";
import type { Common } from "../shell.ts";
import { act } from "./act.ts";
import { JSON_FLAG, type Register } from "./command.ts";

/** `release ID`: takes a running task from whoever holds it. */
export const release: Register = (program) => {
  program
    .command("release")
    .description("take a running task from its holder; another attempt begins")
    .argument("<id>", "the task's id, whole")
    .option(...JSON_FLAG)
    .action(async (id: string, _: unknown, command: Command) =>
      act(
        (api) => api.POST("/api/agent/tasks/{id}/release", { params: { path: { id } } }),
        command.optsWithGlobals<Common>(),
      ),
    );
};
