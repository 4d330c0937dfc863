import type { Command } from "commander";
import { open, type Common, type Shell } from "../shell.ts";
import { show, WATCH_FLAG, type Register } from "./command.ts";
import { METRICS, overview, PIPELINE } from "./overview.ts";
import { watch } from "./watch.ts";

const ASKING = { status: "needs_decision", limit: 20 } as const;

type Options = Common & { watch?: boolean };

/** `status`: what runs, what waits, what needs a person. */
export const status: Register = (program) => {
  program
    .command("status")
    .description("show what each worker does, what waits, what needs you, and how it goes")
    .option(...WATCH_FLAG)
    .addOption(program.createOption("--json", "print the API's pipeline-status as it is").conflicts("watch"))
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const shell = open(options);
      if (options.json)
        return show(
          await shell.api.ask((api) => api.GET("/api/agent/pipeline-status")).reads(...PIPELINE),
          true,
          () => "",
        );
      if (options.watch) return watch(shell, () => screen(shell));
      shell.print(await screen(shell));
    });
};

async function screen(shell: Shell): Promise<string> {
  const [pipeline, metrics, workers, asking] = await Promise.all([
    shell.api.ask((api) => api.GET("/api/agent/pipeline-status")).reads(...PIPELINE),
    shell.api.ask((api) => api.GET("/api/agent/metrics")).reads(...METRICS),
    shell.api.ask((api) => api.GET("/api/agent/workers")).reads("workers"),
    shell.api.ask((api) => api.GET("/api/agent/tasks", { params: { query: ASKING } })).reads("tasks", "total"),
  ]);
  return overview(
    { pipeline: pipeline.data, metrics: metrics.data, workers: workers.data.workers, asking: asking.data },
    shell,
  );
}
