import type { Command } from "commander";
import { Metrics, PipelineStatus, Tasks, Workers } from "../shapes.ts";
import { open, type Common, type Shell } from "../shell.ts";
import { show, type Register } from "./command.ts";
import { overview } from "./overview.ts";
import { watch } from "./watch.ts";

type Options = Common & { watch?: boolean };

/** `status`: what runs, what waits, what needs a person. */
export const status: Register = (program) => {
  program
    .command("status")
    .description("show what each worker does, what waits, what needs you, and how it goes")
    .option("-w, --watch", "redraw it in place until interrupted")
    .addOption(program.createOption("--json", "print the API's pipeline-status as it is").conflicts("watch"))
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const shell = open(options);
      if (options.json) return show(await shell.api.get("/api/agent/pipeline-status", PipelineStatus), true, () => "");
      if (options.watch) return watch(shell, () => screen(shell));
      shell.print(await screen(shell));
    });
};

async function screen(shell: Shell): Promise<string> {
  const [pipeline, metrics, workers, asking] = await Promise.all([
    shell.api.get("/api/agent/pipeline-status", PipelineStatus),
    shell.api.get("/api/agent/metrics", Metrics),
    shell.api.get("/api/agent/workers", Workers),
    shell.api.get("/api/agent/tasks?status=needs_decision&limit=20", Tasks),
  ]);
  return overview(
    { pipeline: pipeline.data, metrics: metrics.data, workers: workers.data, asking: asking.data },
    shell,
  );
}
