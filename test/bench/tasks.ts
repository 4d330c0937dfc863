import { tmpdir } from "node:os";
import * as Task from "../../core/work/task/index.ts";
import { bench, median, MEMORY, ms, quantile, timed, type Bench, type Row } from "./support.ts";

const GOAL_P50_MS = 20;
const GOAL_PER_SECOND = 100;

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
    await oneByOne(one, 60);
    const times = await oneByOne(one, 200);
    const p50 = median(times);
    rows.push({
      what: `created → settled, one at a time (${where})`,
      goal: `p50 ≤ ${GOAL_P50_MS} ms`,
      figure: `p50 ${ms(p50)}, p95 ${ms(quantile(times, 0.95))}`,
      ok: p50 <= GOAL_P50_MS,
      how: "200 tasks, the next when all is still",
    });
    await inFlight(one, 16, 200);
    const rates: number[] = [];
    for (let i = 0; i < 3; i++) rates.push(await inFlight(one, 16, 500));
    rows.push({
      what: `created → settled, 16 in flight (${where})`,
      goal: `≥ ${GOAL_PER_SECOND} tasks/s`,
      figure: `${median(rates).toFixed(0)} tasks/s`,
      ok: median(rates) >= GOAL_PER_SECOND,
      how: `16 slots, 3 × 500 tasks: ${rates.map((rate) => rate.toFixed(0)).join(", ")}`,
    });
    if (where === "memory") rows.push(...(await perTask(one)));
    await one.close();
  }
  return rows;
}

async function oneByOne(one: Bench, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
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

/** Tasks a second with `width` between creation and settling at any time. */
async function inFlight(one: Bench, width: number, count: number): Promise<number> {
  let made = 0;
  let ended = 0;
  const create = () => void (made++ < count && Task.create(one.deps, INPUT).catch(console.error));
  const took = await timed(
    () =>
      new Promise<void>((resolve) => {
        one.onEvent((event) => {
          if (event.type !== "task.settled") return;
          if (++ended === count) resolve();
          else create();
        });
        for (let i = 0; i < width; i++) create();
      }),
  );
  await one.idle();
  return count / (took / 1000);
}

/** Store calls, capacity units and transitions of one task, its event's dispatch and tick included. */
async function perTask(one: Bench): Promise<Row[]> {
  const { store } = one.deps;
  const units = { read: 0, write: 0 };
  store.onCapacity = (n, action) => (units[/get|query|batch/i.test(action) ? "read" : "write"] += n);
  const calls: string[] = [];
  const tap = { step: "initialize", name: "bench" } as const;
  store.doc.middlewareStack.add(
    (next, context) => (args) => {
      calls.push(`${String(context.commandName).replace("Command", "")} ${keysOf(args.input)}`);
      return next(args);
    },
    tap,
  );
  const before = one.workflow.transitions();
  const [time = 0] = await oneByOne(one, 1);
  const transitions = one.workflow.transitions() - before;
  const list = calls.splice(0);
  const count = 50;
  units.read = units.write = 0;
  await oneByOne(one, count);
  delete store.onCapacity;
  store.doc.middlewareStack.remove(tap.name);
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

/** The keys that a request is about, short. */
function keysOf(input: Input): string {
  const one = (key: unknown): string => {
    const { pk, sk } = (key ?? {}) as { pk?: string; sk?: string };
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
  const values = Object.values((input.ExpressionAttributeValues ?? {}) as Input).map((value) =>
    String(value).replace(/task_[0-9a-f]+/, "…"),
  );
  return `${typeof input.IndexName === "string" ? input.IndexName : "table"} ${values.join(" ")}`;
}
