import { day, month } from "../../core/ground/clock.ts";
import * as Id from "../../core/ground/id.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Metrics from "../../core/work/metrics/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { createApp } from "../../functions/api/app.ts";
import { bench, median, MEMORY, ms, timed, type Bench, type Row } from "./support.ts";

const DAY_MS = 86_400_000;
const PATHS = ["metrics", "pipeline-status", "effectiveness", "usage", "visibility"].map(
  (name) => `/api/agent/${name}`,
);

/** Reads that must cost the same at any number of tasks. `full`: up to 100 k, else 10 k. */
export async function reads(full: boolean): Promise<Row[]> {
  const one = await bench({ place: MEMORY });
  const template = await realTask(one);
  const app = createApp({ deps: one.deps, authenticate: () => ({ kind: "operator" }) });
  const sizes = full ? [1000, 10_000, 100_000] : [1000, 10_000];
  const found = new Map<string, number[]>(PATHS.map((path) => [path, []]));
  const units = new Map<string, number[]>(PATHS.map((path) => [path, []]));
  let size = 0;
  for (const next of sizes) {
    await fill(one, template, next - size);
    size = next;
    // The copies lie behind what is folded already: their days are made again.
    for (let back = 6; back >= 0; back--) await Metrics.rebuild(one.deps, one.deps.clock.now() - back * DAY_MS);
    const { completed } = (await Metrics.read(one.deps)).success_rate;
    if (completed !== size + 1) throw new Error(`${completed} of ${size + 1} tasks are counted: the copies are none`);
    for (const path of PATHS) {
      const ask = () =>
        timed(async () => {
          const answer = await app.request(`http://127.0.0.1:8000${path}`, { headers: { host: "127.0.0.1:8000" } });
          if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
          await answer.text();
        });
      for (let i = 0; i < 30; i++) await ask();
      const times: number[] = [];
      for (let i = 0; i < 100; i++) times.push(await ask());
      found.get(path)?.push(median(times));
      let spent = 0;
      one.deps.store.onCapacity = (n) => (spent += n);
      await ask();
      delete one.deps.store.onCapacity;
      units.get(path)?.push(spent);
    }
  }
  await one.close();
  return PATHS.map((path) => {
    const times = found.get(path) ?? [];
    const [first = NaN, second = NaN, third] = times;
    const overall = (third ?? second) / first;
    const last = third === undefined ? overall : third / second;
    return {
      what: `GET ${path.replace("/api/agent/", "")}`,
      goal: "1 k → 100 k ≤ 3×, 10 k → 100 k ≤ 1.2×",
      figure: `${times.map(ms).join(" → ")}: ${overall.toFixed(2)}×${third === undefined ? "" : `, last step ${last.toFixed(2)}×`}`,
      ok: overall <= 3 && (third === undefined || last <= 1.2),
      how: `${sizes.map((n) => `${n / 1000} k`).join(", ")} tasks; ${(units.get(path) ?? []).map((n) => n.toFixed(0)).join(" → ")} RCU${full ? "" : "; 100 k with --full"}`,
    };
  });
}

export type Template = { id: string; at: number; items: Store.Item[] };

/** Everything that one real task left in the table. */
export async function realTask(one: Bench): Promise<Template> {
  const at = one.deps.clock.now();
  const settled = one.next((event) => event.type === "task.settled");
  const input = Task.Create.parse({ direction: "Write the parser of the backlog's grammar", task_type: "impl" });
  const { id } = (await Task.create(one.deps, input)).task.row;
  await settled;
  await one.idle();
  const own = await Store.queryAll(one.deps.store, { pk: Keys.taskPartition(id) });
  const metrics = await Store.queryAll(one.deps.store, { pk: Keys.metricPartition(at) });
  return { id, at, items: [...own, ...metrics] };
}

/** Copies of it over the last six days and this one, in batches past the verbs; counters by sum. */
export async function fill(one: Bench, template: Template, count: number): Promise<void> {
  const { store } = one.deps;
  const id = Id.system();
  const now = one.deps.clock.now();
  const text = JSON.stringify(template.items);
  let batch: Store.Item[] = [];
  const sending = new Set<Promise<unknown>>();
  const send = async (items: Store.Item[]) => {
    const RequestItems = { [store.table]: items.map((Item) => ({ PutRequest: { Item: Store.toAttributes(Item) } })) };
    const work = store.wire("BatchWriteItem", { RequestItems }).finally(() => sending.delete(work));
    sending.add(work);
    if (sending.size >= 8) await Promise.race(sending);
  };
  for (let i = 0; i < count; i++) {
    const at = now - 120_000 - Math.floor(id.random() * 6 * DAY_MS);
    for (const item of copy(text, template, Id.taskId(id), at)) batch.push(item);
    while (batch.length >= 25) {
      await send(batch.slice(0, 25));
      batch = batch.slice(25);
    }
  }
  if (batch.length > 0) await send(batch);
  await Promise.all(sending);
  await Store.write(store, { kind: "update", key: Keys.endedCounter("completed", "impl", 0), add: { n: count } });
}

/** The template as another task at another time: ids, times, and the days and months that its keys name. */
function copy(text: string, { id, at }: Template, other: string, time: number): Store.Item[] {
  const shift = time - at;
  const json = text
    .replaceAll(id, other)
    .replace(/\b1[6-9]\d{11}\b/g, (ts) => String(Number(ts) + shift))
    .replaceAll(`MET#${day(at)}`, `MET#${day(time)}`)
    .replaceAll(`#${month(at)}"`, `#${month(time)}"`);
  return JSON.parse(json) as Store.Item[];
}
