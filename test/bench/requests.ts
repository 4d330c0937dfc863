import * as Telemetry from "../../core/work/telemetry/index.ts";
import { createApp } from "../../functions/api/app.ts";
import { bench, median, MEMORY, ms, timed, type Row } from "./support.ts";

const REQUESTS = 1000;
const ROUNDS = 30;
/** What asks the store nothing: its answers would hide what is measured. */
const PATHS = ["/api/health", "/api/version", "/api/nothing/there"];

/** What counting requests costs each of them: the same app with and without a recorder, by turns. */
export async function requests(): Promise<Row[]> {
  const one = await bench({ place: MEMORY });
  const recorder = Telemetry.recorder(one.deps);
  const common = { deps: one.deps, authenticate: () => ({ kind: "operator" as const }) };
  const apps = { without: createApp(common), with: createApp({ ...common, recorder }) };
  const ask = async (app: (typeof apps)["with"]) => {
    for (let i = 0; i < REQUESTS; i++) {
      const path = PATHS[i % PATHS.length] ?? "";
      await app.request(`http://127.0.0.1:8000${path}`, { headers: { host: "127.0.0.1:8000" } });
    }
  };
  const times = { without: [] as number[], with: [] as number[] };
  for (let round = 0; round < ROUNDS; round++)
    for (const which of ["without", "with"] as const) times[which].push(await spent(() => ask(apps[which])));
  const each = (which: keyof typeof times) => median(times[which].slice(3)) / REQUESTS;
  const more = median(times.with.slice(3).map((time, i) => time - (times.without[i + 3] ?? NaN))) / REQUESTS;
  let alone = 0;
  const sample = { method: "GET", route: "/api/agent/tasks/{task_id}", status: 200, ms: 3 };
  for (let i = 0; i < 3; i++)
    alone = await spent(async () => {
      for (let n = 0; n < 1_000_000; n++) recorder.record({ ...sample, ms: n % 50 });
    });
  let units = 0;
  one.deps.store.onCapacity = (n) => (units += n);
  const flushing = await timed(() => recorder.flush());
  await one.close();
  return [
    {
      what: "counting a request",
      goal: "≤ 20 µs",
      figure: `${more.toFixed(1)} µs`,
      ok: more <= 20,
      how: `CPU of a request without the store, ${each("without").toFixed(0)} µs → ${each("with").toFixed(0)} µs; record() alone ${(alone / 1_000_000).toFixed(2)} µs; a flush of ${PATHS.length + 1} routes ${ms(flushing)}, ${units.toFixed(0)} WCU`,
    },
  ];
}

/** CPU time in µs, which other work on the machine does not lengthen. */
async function spent(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
