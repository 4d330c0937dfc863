import type { Command } from "commander";
import { open, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { waiting } from "../waiting.ts";
import { JSON_FLAG, show, whole, type Register } from "./command.ts";

type Options = Common & { dryRun?: boolean; keepDays: number };

/** `cleanup`: removes worktrees, branches and logs of work that is over; the host decides which these are. */
export const cleanup: Register = (program) => {
  program
    .command("cleanup")
    .description("remove worktrees, branches and logs of finished work; never the integration branch")
    .option("--dry-run", "say what would go, remove nothing")
    .option("--keep-days <n>", "keep the logs of tasks that ended within so many days, 0 to 3650", whole(0, 3650), 7)
    .option(...JSON_FLAG)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const dryRun = options.dryRun ?? false;
      const body = { dry_run: dryRun, keep_days: options.keepDays };
      const answer = await waiting(
        "cleaning up",
        open(options)
          .api.ask((api) => api.POST("/api/agent/cleanup", { body }))
          .reads("worktrees", "branches", "logs"),
      );
      show(answer, options.json, ({ worktrees, branches, logs }) =>
        [
          ...worktrees.map((path) => `worktree ${oneLine(path)}`),
          ...branches.map((name) => `branch ${oneLine(name)}`),
          `${dryRun ? "Would remove" : "Removed"} ${worktrees.length} worktrees, ${branches.length} branches, ${logs} logs.`,
        ].join("\n"),
      );
    });
};
