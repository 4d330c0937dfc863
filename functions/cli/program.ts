import { Command } from "commander";
import { backlog } from "./commands/backlog.ts";
import { cancel } from "./commands/cancel.ts";
import { cleanup } from "./commands/cleanup.ts";
import { decide } from "./commands/decide.ts";
import { items } from "./commands/items.ts";
import { log } from "./commands/log.ts";
import { priority } from "./commands/priority.ts";
import { providers } from "./commands/providers.ts";
import { pause, queue, resume } from "./commands/queue.ts";
import { release } from "./commands/release.ts";
import { retry } from "./commands/retry.ts";
import { run } from "./commands/run.ts";
import { runners } from "./commands/runners.ts";
import { status } from "./commands/status.ts";
import { task } from "./commands/task.ts";
import { tasks } from "./commands/tasks.ts";
import { workers } from "./commands/workers.ts";

/** The `coherence` command with all its commands, for the words `argv` behind it. */
export function create(argv: readonly string[]): Command {
  const program = new Command("coherence")
    .description("Look at and steer a pipeline of coding agents, through its API.")
    .option("--api <url>", "the host's address (default: AGENT_API_BASE, else the host of this directory)")
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("Use one as `coherence --help` or `coherence COMMAND --help` says.")
    .showSuggestionAfterError(false)
    .exitOverride();
  const looks = [status, tasks, task, items, log, queue, providers, workers, runners];
  const acts = [backlog, decide, cancel, retry, release, priority, pause, resume];
  for (const register of [...looks, ...acts, cleanup, run(argv.slice(argv.indexOf("run") + 1))]) register(program);
  return program;
}
