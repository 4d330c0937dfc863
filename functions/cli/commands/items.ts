import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { Failure } from "../failure.ts";
import { page, table } from "../output.ts";
import { open, type Common, type Shell } from "../shell.ts";
import { JSON_FLAG, show, WATCH_FLAG, type Register } from "./command.ts";
import { watch } from "./watch.ts";

type Options = Common & { state?: string; watch?: boolean };
type Seen = { items: Shapes["Item"][]; total: number };

/** `items`: what became of each line of a backlog. */
export const items: Register = (program) => {
  program
    .command("items")
    .description("list a backlog's items with their state, round and last reason")
    .argument("[backlog]", "the backlog's id (default: the host's, else the first)")
    .option("--state <state>", "only queued, spec, impl, test, review, asking, done, abandoned or retired")
    .option(...WATCH_FLAG)
    .addOption(program.createOption(...JSON_FLAG).conflicts("watch"))
    .action(async (backlog: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const shell = open(options);
      const id = backlog ?? shell.backlog ?? (await first(shell));
      // Which states there are the API says best.
      const query = { state: options.state as Shapes["ItemState"] | undefined };
      const ask = () =>
        shell.api
          .ask((api) => api.GET("/api/agent/backlogs/{id}/items", { params: { path: { id }, query } }))
          .reads("items", "total");
      const text = (data: Seen) => list(data.items, data.total, shell);
      if (options.watch) return watch(shell, async () => text((await ask()).data));
      show(await ask(), options.json, text);
    });
};

async function first(shell: Shell): Promise<string> {
  const { backlogs } = (await shell.api.ask((api) => api.GET("/api/agent/backlogs")).reads("backlogs")).data;
  const [one] = backlogs;
  if (!one) throw new Failure("refused", "There is no backlog", "Push one: `coherence backlog push FILE`.");
  if (backlogs.length > 1) shell.note(`Backlog ${one.id}, the first of ${backlogs.length}.`);
  return one.id;
}

function list(rows: Shapes["Item"][], total: number, shell: Shell): string {
  const text = table<Shapes["Item"]>(
    [
      { head: "ID", of: (item) => item.id, width: "whole" },
      { head: "STATE", of: (item) => item.state, drop: 0 },
      { head: "PHASE", of: (item) => item.phase, drop: 4 },
      { head: "ROUND", of: (item) => item.round, drop: 3 },
      { head: "TASK", of: (item) => item.task, width: "whole", drop: 5 },
      { head: "LAST", of: (item) => item.last, drop: 2 },
      { head: "WHAT", of: (item) => item.text, width: "rest", drop: 1 },
    ],
    rows,
    shell.width(),
    "No items.",
  );
  return page([text, total > rows.length ? `${rows.length} of ${total}.` : ""]);
}
