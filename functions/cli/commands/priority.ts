import type { Command } from "commander";
import type { Common } from "../shell.ts";
import { act } from "./act.ts";
import { JSON_FLAG, whole, type Register } from "./command.ts";

/** `priority ID N`: moves a task in the queue. */
export const priority: Register = (program) => {
  program
    .command("priority")
    .description("move a posted task in the queue: 0 to 99, higher goes first, 50 is usual")
    .argument("<id>", "the task's id, whole")
    .argument("<priority>", "0 to 99", whole(0, 99))
    .option(...JSON_FLAG)
    .action(async (id: string, value: number, _: unknown, command: Command) =>
      act(
        (api) => api.PATCH("/api/agent/tasks/{id}", { params: { path: { id } }, body: { priority: value } }),
        command.optsWithGlobals<Common>(),
      ),
    );
};
