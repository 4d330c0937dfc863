import type { Command } from "commander";
import type { Common } from "../shell.ts";
import { act } from "./act.ts";
import { JSON_FLAG, type Register } from "./command.ts";

type Options = Common & { reason?: string };

/** `cancel ID`: ends a task; what was committed stays. */
export const cancel: Register = (program) => {
  program
    .command("cancel")
    .description("end a task; what it has committed stays on its branch")
    .argument("<id>", "the task's id, whole")
    .option("--reason <text>", "why, for its record")
    .option(...JSON_FLAG)
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { reason } = options;
      const body = reason === undefined ? {} : { reason };
      await act((api) => api.POST("/api/agent/tasks/{id}/cancel", { params: { path: { id } }, body }), options);
    });
};
