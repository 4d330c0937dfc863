import { tmpdir } from "node:os";
import { fromAttributes } from "../../core/ground/store/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { between } from "../support/wire.ts";
import { bench, median, MEMORY, ms, quantile, timed, type Bench, type Row } from "./support.ts";

const GOAL_P50_MS = 20;
const GOAL_PER_SECOND = 100;
const WIDTH = 16;

/** A review writes no files: what is measured is the pipeline. */
const INPUT = Task.Create.parse({ direction: "Read it", task_type: "review" });

/** created → settled through the state machine, no workspace, simulated. */
export async function tasks(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [where, place] of [
    ["memory", MEMORY],
    ["disk", tmpdir()],
  ] as const) {
    const one = await bench({ place, workers: 16 });
    await oneByOne(one, 2000);
    const times = await oneByOne(one, 6000);
    const p50 = median(times);
    rows.push({
      what: `created → settled, one at a time (${where})`,
      goal: `p50 ≤ ${GOAL_P50_MS} ms`,
      figure: `p50 ${ms(p50)}, p95 ${ms(quantile(times, 0.95))}`,
      ok: p50 <= GOAL_P50_MS,
      how: `${times.length} tasks, the next when all is still`,
    });
    await inFlight(one, 2000);
    const rates: number[] = [];
    const cpu: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { rate, cpuMs } = await inFlight(one, 5000);
      rates.push(rate);
      cpu.push(cpuMs);
    }
    rows.push({
      what: `created → settled, ${WIDTH} in flight (${where})`,
      goal: `≥ ${GOAL_PER_SECOND} tasks/s`,
      figure: `${median(rates).toFixed(0)} tasks/s, ${ms(median(cpu))} of this process's CPU a task`,
      ok: median(rates) >= GOAL_PER_SECOND,
      how: `${WIDTH} slots, 3 × 5 s: ${rates.map((rate) => rate.toFixed(0)).join(", ")}`,
    });
    if (where === "memory") rows.push(...(await perTask(one)));
    await one.close();
  }
  return rows;
}

/** Ms of each task, for so many ms. */
async function oneByOne(one: Bench, forMs: number, most = Infinity): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + forMs;
  while (times.length < most && performance.now() < end) {
    times.push(
      await timed(async () => {
        const settled = one.next((event) => event.type === "task.settled");
        await Task.create(one.deps, INPUT);
        await settled;
      }),
    );
    await one.idle();
  }
  return times;
}

/** Tasks a second for so many ms, with WIDTH of them between creation and settling at any time. */
async function inFlight(one: Bench, forMs: number): Promise<{ rate: number; cpuMs: number }> {
  let open = 0;
  let ended = 0;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const took = await timed(
    () =>
      new Promise<void>((resolve) => {
        const create = () => {
          open++;
          Task.create(one.deps, INPUT).catch(console.error);
        };
        const stop = one.onEvent((event) => {
          if (event.type !== "task.settled") return;
          open--;
          ended++;
          if (performance.now() - begun < forMs) create();
          else if (open === 0) resolve(stop());
        });
        for (let i = 0; i < WIDTH; i++) create();
      }),
  );
  const spent = process.cpuUsage(cpu);
  await one.idle();
  return { rate: ended / (took / 1000), cpuMs: (spent.user + spent.system) / 1000 / ended };
}

/** Store calls, capacity units and transitions of one task, its event's dispatch and tick included. */
async function perTask(one: Bench): Promise<Row[]> {
  const { store } = one.deps;
  const units = { read: 0, write: 0 };
  store.onCapacity = (n, action) => (units[/get|query|batch/i.test(action) ? "read" : "write"] += n);
  const calls: string[] = [];
  const untap = between(store, async (operation, input, next) => {
    calls.push(`${operation} ${keysOf(input)}`);
    return next();
  });
  const before = one.workflow.transitions();
  const [time = 0] = await oneByOne(one, 10_000, 1);
  const transitions = one.workflow.transitions() - before;
  const list = calls.splice(0);
  const count = 50;
  units.read = units.write = 0;
  await oneByOne(one, 20_000, count);
  delete store.onCapacity;
  untap();
  if (process.argv.includes("--calls")) list.forEach((call, i) => console.log(`${String(i + 1).padStart(3)} ${call}`));
  return [
    {
      what: "state transitions a task",
      goal: "5",
      figure: String(transitions),
      ok: transitions === 5,
      how: "states entered, from the interpreter's event log",
    },
    {
      what: "capacity units a task",
      goal: "",
      figure: `${(units.write / count).toFixed(1)} WCU, ${(units.read / count).toFixed(1)} RCU`,
      how: `ReturnConsumedCapacity over ${count} tasks one at a time, with the tick and dispatches their events set off`,
    },
    {
      what: "store calls a task",
      goal: "",
      figure: String(list.length),
      how: `the same; one took ${ms(time)}; --calls lists them`,
    },
  ];
}

type Input = Record<string, unknown>;
type Attributes = Parameters<typeof fromAttributes>[0];

/** The keys that a request is about, short. */
function keysOf(request: object): string {
  const input = request as Input;
  const one = (key: unknown): string => {
    const { pk, sk } = fromAttributes((key ?? {}) as Attributes) as { pk?: string; sk?: string };
    return `${String(pk).replace(/task_[0-9a-f]+/, "…")} ${String(sk).replace(/task_[0-9a-f]+/, "…")}`;
  };
  if (input.Key) return one(input.Key);
  if (input.Item) return `put ${one(input.Item)}`;
  if (input.TransactItems)
    return (input.TransactItems as Record<string, { Key?: unknown; Item?: unknown }>[])
      .map((write) => Object.entries(write).map(([kind, body]) => `${kind} ${one(body.Key ?? body.Item)}`))
      .join(" + ");
  if (input.RequestItems) {
    const [table] = Object.values(input.RequestItems as Record<string, { Keys: unknown[] }>);
    return (table?.Keys ?? []).map(one).join(", ");
  }
  const values = Object.values(fromAttributes((input.ExpressionAttributeValues ?? {}) as Attributes)).map((value) =>
    String(value).replace(/task_[0-9a-f]+/, "…"),
  );
  return `${typeof input.IndexName === "string" ? input.IndexName : "table"} ${values.join(" ")}`;
}
