import type { Command } from "commander";
import { open, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { act } from "./act.ts";
import { bulk, isBulk, withFilters, type Filters } from "./bulk.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

/** `retry ID`: a failed or cancelled task goes on, its item with it; `retry BACKLOG/ITEM`: an abandoned item does; or all that fit. */
export const retry: Register = (program) => {
  const command = program
    .command("retry")
    .description("let a failed or cancelled task, an abandoned item, or all tasks that fit go on with new budgets")
    .argument("[id]", "the task's id, whole, or BACKLOG/ITEM");
  withFilters(command)
    .option(...JSON_FLAG)
    .action(async (id: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common & Filters>();
      if (isBulk("retry", id, options)) return bulk("retry", options);
      // No id of a task, a backlog or an item has a slash in it.
      const [backlog = "", ...item] = id.split("/");
      if (item.length === 0)
        return act((api) => api.POST("/api/agent/tasks/{id}/retry", { params: { path: { id } } }), options);
      const path = { id: backlog, item: item.join("/") };
      const answer = await open(options)
        .api.ask((api) => api.POST("/api/agent/backlogs/{id}/items/{item}/retry", { params: { path } }))
        .reads("id", "state");
      show(answer, options.json, (row) => `${oneLine(row.id)} is now ${oneLine(row.state)}`);
    });
};
