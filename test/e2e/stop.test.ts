import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { mainline, notGreen, pointedTo, processesOf, project, startHost, type Project } from "./project.ts";
import { faults, tableOf } from "./table.ts";

/** Ctrl-C and SIGTERM are survivable: what runs is ended and given back, nothing is spent, starting again goes on. */

let made: Project;
afterEach(() => rmSync(join(made.dir, ".."), { recursive: true, force: true }));

const RULES = [{ match: { phase: "impl" as const }, do: { step: "slow" as const, ms: 300 } }];

it.each([
  ["SIGINT", "item-01: impl"],
  ["SIGTERM", "item-01: review"],
] as const)(
  "%s at %j",
  async (signal, at) => {
    made = project(2, RULES, 2);
    const base = made.git("rev-parse", "HEAD");
    const host = startHost(made);
    for await (const line of host.iterable({ from: "stdout" })) if (line.includes(at)) host.kill(signal);
    const stopped = await host;
    expect(stopped, stopped.all).toMatchObject({ exitCode: 1 });
    expect(stopped.all).toContain("start again to go on");
    expect(stopped.all).not.toMatch(/"level":(?:40|50)|broke|\n\s+at /);
    expect(processesOf(made)).toEqual([]);
    const between = await tableOf(made.home);
    expect(between.attempts.filter((one) => one.ended_at === undefined)).toEqual([]);
    expect(between.tasks.map((task) => [task.stalls, task.tries])).toEqual(between.tasks.map(() => [0, 0]));
    expect(between.tasks.filter((task) => task.status === "running")).toEqual([]);

    const again = await startHost(made);
    expect(again, again.all).toMatchObject({ exitCode: 0 });
    const table = await tableOf(made.home);
    expect(table.items.map((item) => [item.state, item.round])).toEqual(made.items.map(() => ["done", 0]));
    expect(faults(table)).toEqual([]);
    expect(mainline(made, base)).toHaveLength(made.items.length);
    expect(await notGreen(made, pointedTo(made))).toEqual([]);
  },
  60_000,
);
