import type { Command } from "commander";
import { Cleaned } from "../shapes.ts";
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
      const answer = await waiting(
        "cleaning up",
        open(options).api.post("/api/agent/cleanup", { dry_run: dryRun, keep_days: options.keepDays }, Cleaned),
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
