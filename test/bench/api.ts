import type { Hono } from "hono";
import * as Metrics from "../../core/work/metrics/index.ts";
import { createApp } from "../../functions/api/app.ts";
import type { Env } from "../../functions/api/guards.ts";
import { fill, realTask } from "./reads.ts";
import { bench, median, MEMORY, ms, quantile, timed, type Bench, type Row } from "./support.ts";

const DAY_MS = 86_400_000;
const ORIGIN = "http://127.0.0.1:8000";
/** Requests that wait at once where requests a second are counted. */
const WIDTH = 8;
const WARM = 10;
/** One after the other for so many ms, but so many at least and at most. */
const ALONE = { ms: 800, least: 30, most: 400 };
const THROUGHPUT_MS = 700;

/** Each request by name; `id` is a task that is there. */
const REQUESTS: readonly [name: string, method: "GET" | "POST", path: (id: string) => string][] = [
  ["list, 20", "GET", () => "/tasks"],
  ["list, 100 of one status", "GET", () => "/tasks?status=completed&limit=100"],
  ["list, 20 of one type", "GET", () => "/tasks?task_type=impl"],
  ["list, offset 500", "GET", () => "/tasks?offset=500"],
  ["attention", "GET", () => "/tasks/attention"],
  ["count", "GET", () => "/tasks/count"],
  ["get", "GET", (id) => `/tasks/${id}`],
  ["log", "GET", (id) => `/tasks/${id}/log`],
  ["pipeline-status", "GET", () => "/pipeline-status"],
  ["metrics", "GET", () => "/metrics"],
  ["usage", "GET", () => "/usage"],
  ["visibility", "GET", () => "/visibility"],
  ["effectiveness", "GET", () => "/effectiveness"],
  ["integration", "GET", () => "/integration"],
  ["runners", "GET", () => "/runners"],
  ["create", "POST", () => "/tasks"],
];
const BODY = JSON.stringify({
  direction: "Write the parser of the backlog's grammar",
  task_type: "impl",
  context: { dispatch: "external" },
});

/** The API in process, at more and more tasks; `full`: up to 100 k, else 10 k. A request that is not served is not shown. */
export async function api(full: boolean): Promise<Row[]> {
  const one = await bench({ place: MEMORY });
  const template = await realTask(one);
  const app = createApp({ deps: one.deps, authenticate: () => ({ kind: "operator" }) });
  const sizes = full ? [100, 1000, 10_000, 100_000] : [100, 1000, 10_000];
  const rows: Row[] = [];
  let size = 0;
  for (const next of sizes) {
    await fill(one, template, next - size);
    size = next;
    // The copies lie behind what is folded already: their days are made again.
    for (let back = 6; back >= 0; back--) await Metrics.rebuild(one.deps, one.deps.clock.now() - back * DAY_MS);
    for (const [name, method, path] of REQUESTS) {
      const row = await measure(one, app, `${method} ${name}, ${label(size)}`, method, path(template.id));
      if (row) rows.push(row);
    }
    await cancelPending(app);
  }
  await one.close();
  return rows;
}

/** What was created waits no longer: at the next size only what has ended is more. */
async function cancelPending(app: Hono<Env>): Promise<void> {
  const headers = { host: new URL(ORIGIN).host };
  for (;;) {
    const list = await app.request(`${ORIGIN}/api/agent/tasks?status=pending&limit=100`, { headers });
    const { tasks } = (await list.json()) as { tasks: { id: string }[] };
    if (tasks.length === 0) return;
    await Promise.all(
      tasks.map(async ({ id }) => app.request(`${ORIGIN}/api/agent/tasks/${id}/cancel`, { method: "POST", headers })),
    );
  }
}

/** Ms of one request after the other, then requests a second of WIDTH at once, and what one costs this process and the table. */
async function measure(
  one: Bench,
  app: Hono<Env>,
  what: string,
  method: "GET" | "POST",
  path: string,
): Promise<Row | undefined> {
  const init = {
    method,
    headers: { host: new URL(ORIGIN).host, ...(method === "POST" ? { "content-type": "application/json" } : {}) },
    ...(method === "POST" ? { body: BODY } : {}),
  };
  const ask = async () => {
    const answer = await app.request(`${ORIGIN}/api/agent${path}`, init);
    await answer.arrayBuffer();
    return answer.status;
  };
  const status = await ask();
  if (status === 404 || status === 405) return undefined;
  if (status >= 300) throw new Error(`${what}: ${status}`);
  for (let i = 0; i < WARM; i++) await ask();
  const times: number[] = [];
  const end = performance.now() + ALONE.ms;
  while (times.length < ALONE.least || (times.length < ALONE.most && performance.now() < end))
    times.push(await timed(ask));
  let answered = 0;
  const before = process.cpuUsage();
  const took = await timed(async () => {
    const until = performance.now() + THROUGHPUT_MS;
    const loop = async () => {
      for (; performance.now() < until; answered++) await ask();
    };
    await Promise.all(Array.from({ length: WIDTH }, loop));
  });
  const { user, system } = process.cpuUsage(before);
  let units = 0;
  one.deps.store.onCapacity = (n) => (units += n);
  await ask();
  delete one.deps.store.onCapacity;
  return {
    what,
    goal: "",
    figure: `p50 ${ms(median(times))}, p99 ${ms(quantile(times, 0.99))}, ${((answered * 1000) / took).toFixed(0)}/s`,
    how: `${times.length} one after the other; ${WIDTH} at once for ${THROUGHPUT_MS} ms; ${ms((user + system) / 1000 / answered)} of this process's CPU and ${units.toFixed(1)} units each`,
  };
}

const label = (size: number) => (size < 1000 ? String(size) : `${size / 1000} k`);
