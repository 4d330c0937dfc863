import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { at } from "../durations.ts";
import { page, table } from "../output.ts";
import { open, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

type Provider = Shapes["Provider"];

/** `providers`: who is ready to work, and what the others lack. */
export const providers: Register = (program) => {
  program
    .command("providers")
    .description("show which providers are ready, why others are not, and what is cooling down")
    .option(...JSON_FLAG)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common>();
      const shell = open(options);
      const answer = await shell.api.ask((api) => api.GET("/api/agent/providers")).reads("providers");
      show(answer, options.json, ({ providers: rows }) =>
        page([list(rows, shell.width()), rows.flatMap(notes).join("\n")]),
      );
    });
};

function list(rows: Provider[], width: number): string {
  return table<Provider>(
    [
      { head: "NAME", of: (row) => row.name, width: "whole" },
      { head: "READY", of: (row) => (row.ready ? "yes" : "no") },
      { head: "MODELS", of: (row) => row.models.join(", "), drop: 2 },
      { head: "CHECKED", of: (row) => at(row.checked_at), drop: 1 },
      { head: "WHY", of: (row) => row.detail, width: "rest" },
    ],
    rows,
    width,
    "No providers.",
  );
}

/** What a table has no room for: remedies, which have to be read whole, and cooldowns. */
function notes(row: Provider): string[] {
  const name = oneLine(row.name);
  return [
    ...(row.ready || !row.remedy ? [] : [`${name}: ${oneLine(row.remedy)}`]),
    ...row.cooldowns.map(
      (one) =>
        `${name}${one.model ? ` ${oneLine(one.model)}` : ""}: cools down until ${at(one.until)} (${oneLine(one.class)})`,
    ),
  ];
}
