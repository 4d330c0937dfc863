import type { Command } from "commander";
import type { Client, Shapes } from "../../../client/index.ts";
import { between } from "../durations.ts";
import { fields, page, section, table } from "../output.ts";
import { open, type Common, type Shell } from "../shell.ts";
import { JSON_FLAG, show, WATCH_FLAG, type Register } from "./command.ts";
import { watch } from "./watch.ts";

const READ = ["slots", "running", "waiting", "paused"] as const;
type Seen = Pick<Shapes["Queue"], (typeof READ)[number]>;
type Which = { type?: string; provider?: string };

/** `queue`: what waits, for what, and what is paused. */
export const queue: Register = (program) => {
  program
    .command("queue")
    .description("show what runs, what waits for what, and what is paused")
    .option(...WATCH_FLAG)
    .addOption(program.createOption(...JSON_FLAG).conflicts("watch"))
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common & { watch?: boolean }>();
      const shell = open(options);
      const ask = () => shell.api.ask((api) => api.GET("/api/agent/queue")).reads(...READ);
      if (options.watch) return watch(shell, async () => text((await ask()).data, shell));
      show(await ask(), options.json, (data) => text(data, shell));
    });
};

/** `pause`: nothing more is started, of all tasks, of a type or by a provider. */
export const pause: Register = (program) => {
  program
    .command("pause")
    .description("start nothing more: of all tasks, of a type, or by a provider; what runs goes on")
    .option("--type <type>", "only spec, impl, test, review or heal")
    .option("--provider <name>", "only what this provider would do")
    .option("--reason <text>", "why, for whoever looks at the queue")
    .option(...JSON_FLAG)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common & Which & { reason?: string }>();
      const body = { ...whichOf(options), ...(options.reason === undefined ? {} : { reason: options.reason }) };
      await change((api) => api.POST("/api/agent/queue/pause", { body }), options);
    });
};

/** `resume`: what was paused is started again. */
export const resume: Register = (program) => {
  program
    .command("resume")
    .description("start tasks again: all, or those of a type or a provider that was paused by itself")
    .option("--type <type>", "only spec, impl, test, review or heal")
    .option("--provider <name>", "only what this provider does")
    .option(...JSON_FLAG)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common & Which>();
      await change((api) => api.POST("/api/agent/queue/resume", { body: whichOf(options) }), options);
    });
};

async function change(request: (api: Client) => Promise<{ data?: Shapes["Queue"] }>, options: Common): Promise<void> {
  const shell = open(options);
  const answer = await shell.api.ask(request).reads(...READ);
  show(answer, options.json, (data) => text(data, shell));
}

/** Which type there is the API says best. */
function whichOf({ type, provider }: Which) {
  const named = {
    ...(type === undefined ? {} : { task_type: type as Shapes["TaskType"] }),
    ...(provider === undefined ? {} : { provider }),
  };
  return Object.keys(named).length > 0 ? named : { all: true as const };
}

function text(seen: Seen, shell: Shell): string {
  const { waiting } = seen;
  return page([
    fields([
      ["Running", `${seen.running} (${seen.slots} slots)`],
      ["Waiting", waiting.pipeline],
      ["For outside runners", waiting.external],
      ["Parked", waiting.parked],
      ["Held", waiting.held],
    ]),
    section("Paused", paused(seen, shell)),
  ]);
}

function paused(seen: Seen, shell: Shell): string {
  const now = shell.clock.now();
  return table<Shapes["Paused"]>(
    [
      { head: "WHAT", of: (one) => one.task_type ?? one.provider ?? "all", width: "whole" },
      { head: "FOR", of: (one) => between(one.since, now), drop: 1 },
      { head: "WHY", of: (one) => one.reason, width: "rest", drop: 0 },
    ],
    seen.paused,
    shell.width() - 2,
    "nothing",
  );
}
