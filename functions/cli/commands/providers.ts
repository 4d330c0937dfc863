import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { at } from "../durations.ts";
import { EXIT, Failure } from "../failure.ts";
import { money, page, table } from "../output.ts";
import { open, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { waiting } from "../waiting.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

type Provider = Shapes["Provider"];

/** Ms after which it is shown that a provider is being asked. */
const SHOWN_AFTER_MS = 1000;

/** `providers`: who is ready to work, and what the others lack; `providers test NAME` asks one. */
export const providers: Register = (program) => {
  const group = program
    .command("providers")
    .description("show which providers are ready, why others are not, what cools down and what was spent")
    .option(...JSON_FLAG)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common>();
      const shell = open(options);
      const answer = await shell.api
        .ask((api) => api.GET("/api/agent/providers"))
        .reads("providers", "limits", "config");
      show(answer, options.json, ({ providers: rows, limits, config }) =>
        page([
          list(rows, shell.width()),
          rows.flatMap(notes).join("\n"),
          (limits ?? []).map(limitLine).join("\n"),
          (config ?? []).flatMap(configLines).join("\n"),
        ]),
      );
    });
  group
    .command("test")
    .description("ask a provider now whether it can work: 0 it can, 1 it cannot, 2 there is none of that name")
    .argument("<name>", "its name, from `coherence providers`")
    .option(...JSON_FLAG)
    .action(async (name: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common>();
      const shell = open(options);
      const asked = shell.api
        .ask((api) => api.POST("/api/agent/providers/{name}/test", { params: { path: { name } } }))
        .reads("name", "ready", "detail", "remedy", "ms");
      const answer = await waiting(`asking ${oneLine(name)}`, asked, { clock: shell.clock, ms: SHOWN_AFTER_MS }).catch(
        (error: unknown) => {
          if (error instanceof Failure && error.code === "provider.unknown")
            throw new Failure("usage", error.message, error.remedy, error.code);
          throw error;
        },
      );
      show(answer, options.json, verdict);
      if (!answer.data.ready) process.exitCode = EXIT.refused;
    });
};

function verdict(asked: Pick<Shapes["ProviderTest"], "name" | "ready" | "detail" | "remedy" | "ms">): string {
  const head = `${oneLine(asked.name)}: ${asked.ready ? "ready" : "not ready"}: ${oneLine(asked.detail)} (${asked.ms} ms)`;
  return asked.remedy ? `${head}\n${oneLine(asked.remedy)}` : head;
}

function list(rows: Provider[], width: number): string {
  return table<Provider>(
    [
      { head: "NAME", of: (row) => row.name, width: "whole" },
      { head: "READY", of: (row) => (row.switched_off ? "off" : row.ready ? "yes" : "no") },
      { head: "MODELS", of: (row) => row.models.join(", "), drop: 5 },
      { head: "CHECKED", of: (row) => at(row.checked_at), drop: 4 },
      { head: "COOLING UNTIL", of: coolingUntil, drop: 1 },
      { head: "TODAY / 7 DAYS", of: spent, drop: 2 },
      { head: "TESTED", of: (row) => (row.verified === null ? "unverified" : row.verified), drop: 3 },
      { head: "WHY", of: (row) => row.detail, width: "rest" },
    ],
    rows,
    width,
    "No providers.",
  );
}

/** A host from before `cooling` has `cooldowns` alone. */
function coolingOf(row: Provider) {
  return row.cooling ?? row.cooldowns;
}

function coolingUntil(row: Provider): string | undefined {
  const cooling = coolingOf(row);
  const whole = cooling.find(({ model }) => model === null);
  if (whole) return whole.until === null ? "it is mended" : at(whole.until);
  return cooling.length > 0 ? `${cooling.length} of ${row.models.length} models` : undefined;
}

function spent({ paid, spent }: Provider): string | undefined {
  if (paid === false) return "free";
  return spent ? `${money(spent.today.cost_usd)} / ${money(spent.window.cost_usd)}` : undefined;
}

/** What a table has no room for: remedies, which have to be read whole, and cooldowns. */
function notes(row: Provider): string[] {
  const name = oneLine(row.name);
  return [
    ...(row.ready || !row.remedy ? [] : [`${name}: ${oneLine(row.remedy)}`]),
    ...coolingOf(row).map(
      (one) =>
        `${name}${one.model ? ` ${oneLine(one.model)}` : ""}: cools down until ${
          one.until === null ? "it is mended" : at(one.until)
        } (${oneLine(one.class)})`,
    ),
  ];
}

const LIMITS: Readonly<Record<string, string>> = {
  "8h_limit": "paid runs in 8 hours",
  "1w_limit": "paid runs in a week",
  day_cost_usd: "US dollars today",
};

function limitLine({ name, used, allowed, renews_at, warn }: Shapes["PaidLimit"]): string {
  const share = name === "day_cost_usd" ? `${money(used)} of ${money(allowed)}` : `${used} of ${allowed}`;
  return `${LIMITS[name] ?? oneLine(name)}: ${share}${warn ? `, ${used >= allowed ? "spent" : "near its end"}: more at ${at(renews_at)}` : ""}`;
}

function configLines({ file, state, using, problem, remedy }: Shapes["ConfigFile"]): string[] {
  switch (state) {
    case "absent":
      return [];
    case "used":
      return [`config ${oneLine(file)}: used`];
    case "refused": {
      const meanwhile = using === "last_good" ? "what it said before goes on" : "the host goes on without it";
      return [`config REFUSED ${oneLine(file)}: ${oneLine(problem)}`, `  ${oneLine(remedy)} Until then ${meanwhile}.`];
    }
  }
}
