import type { Command } from "commander";
import type { Common } from "../shell.ts";
import { act } from "./act.ts";
import { bulk, isBulk, withFilters, type Filters } from "./bulk.ts";
import { JSON_FLAG, type Register } from "./command.ts";

type Options = Common & Filters & { reason?: string };

/** `cancel ID`: ends a task; with filters all that fit. What was committed stays. */
export const cancel: Register = (program) => {
  const command = program
    .command("cancel")
    .description("end a task, or all that fit; what they have committed stays on their branches")
    .argument("[id]", "the task's id, whole");
  withFilters(command)
    .option("--reason <text>", "why, for the record")
    .option(...JSON_FLAG)
    .action(async (id: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { reason } = options;
      if (isBulk("cancel", id, options)) return bulk("cancel", options);
      const body = reason === undefined ? {} : { reason };
      await act((api) => api.POST("/api/agent/tasks/{id}/cancel", { params: { path: { id } }, body }), options);
    });
};
