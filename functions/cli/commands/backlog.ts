import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { EXIT } from "../failure.ts";
import { readNamed } from "../files.ts";
import { open, print, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { waiting } from "../waiting.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

type PushOptions = Common & { id?: string; meta?: boolean; dryRun?: boolean };
type Problem = { line: number; message: string; remedy: string };

/** `backlog check FILE` and `backlog push FILE`. */
export const backlog: Register = (program) => {
  const group = program.command("backlog").description("check a backlog file, or push it to the host");
  group
    .command("check")
    .description("say what is wrong with a backlog file; needs no host")
    .argument("<file>", "a backlog file, or - for standard input")
    .option("--json", "print {problems}")
    .action(async (file: string, _: unknown, command: Command) => {
      const { problems } = await checked(file);
      if (problems.length > 0) return refuse(problems, command.optsWithGlobals<Common>());
      print(command.optsWithGlobals<Common>().json ? JSON.stringify({ problems }) : `OK: ${oneLine(file)}`);
    });
  group
    .command("push")
    .description("make the host's backlog say what the file says")
    .argument("<file>", "a backlog file, or - for standard input")
    .option("--id <id>", "the backlog's id (default: the file's name without its ending)")
    .option("--meta", "its items are about the pipeline itself")
    .option("--dry-run", "say what would change, change nothing")
    .option(...JSON_FLAG)
    .action(async (file: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<PushOptions>();
      // The host would refuse it whole, with the same words; so the lines are named without it.
      const { text, problems, id } = await checked(file);
      if (problems.length > 0) return refuse(problems, options);
      const body = { text, kind: options.meta ? "meta" : "product", dry_run: options.dryRun ?? false } as const;
      const path = { id: options.id ?? id };
      const answer = await waiting(
        `pushing ${oneLine(file)}`,
        open(options)
          .api.ask((api) => api.POST("/api/agent/backlogs/{id}/push", { params: { path }, body }))
          .reads("created", "changed", "returned", "retired", "unchanged"),
      );
      show(answer, options.json, (pushed) => outcome(pushed, options.id ?? id, body.dry_run));
    });
};

/** A file's text, what is wrong with it, and the id that its name gives. */
async function checked(file: string) {
  const bytes = readNamed(file);
  // The grammar is the host's own, and pure. Loaded here: no other command needs its room.
  const Backlog = await import("../../../core/work/backlog/index.ts");
  const text = Backlog.decode(bytes);
  return { text, problems: Backlog.check(text), id: Backlog.idOfFile(file) };
}

/** Says what is wrong, `line: message — remedy`, and ends with exit code 1. */
function refuse(problems: readonly Problem[], options: Common): void {
  const lines = problems.map((one) => `${one.line}: ${oneLine(one.message)} — ${oneLine(one.remedy)}`);
  print(options.json ? JSON.stringify({ problems }) : lines.join("\n"));
  process.exitCode = EXIT.refused;
}

function outcome(
  pushed: Omit<Shapes["Pushed"], "backlog" | "dry_run" | "problems">,
  id: string,
  dryRun: boolean,
): string {
  const { created, changed, returned, retired, unchanged } = pushed;
  const counts = Object.entries({ created, changed, returned, retired })
    .filter(([, ids]) => ids.length > 0)
    .map(([what, ids]) => `${ids.length} ${what}`);
  const named = Object.entries({ changed, returned, retired }).flatMap(([what, ids]) =>
    ids.map((one) => `  ${what} ${oneLine(one)}`),
  );
  const head = `${oneLine(id)}: ${[...counts, `${unchanged} unchanged`].join(", ")}${dryRun ? " (dry run)" : ""}`;
  return [head, ...named].join("\n");
}
