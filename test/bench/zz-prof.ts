import { bench, timed, median } from "/work/main/test/bench/support.ts";
import * as Task from "/work/main/core/work/task/index.ts";
const INPUT = Task.Create.parse({ direction: "Read it", task_type: "review" });
const one = await bench({ place: "/dev/shm", workers: 16 });
async function inFlight(width: number, count: number) {
  let made = 0, ended = 0;
  const create = () => void (made++ < count && Task.create(one.deps, INPUT).catch(console.error));
  const took = await timed(() => new Promise<void>((resolve) => {
    one.onEvent((e) => { if (e.type !== "task.settled") return; if (++ended === count) resolve(); else create(); });
    for (let i = 0; i < width; i++) create();
  }));
  await one.idle();
  return count / (took / 1000);
}
let calls = 0; const by: Record<string, number> = {};
one.deps.store.doc.middlewareStack.add((next, c) => (a) => { calls++; const n = String(c.commandName); by[n] = (by[n] ?? 0) + 1; return next(a); }, { step: "initialize", name: "x" });
const t: number[] = [];
for (let i = 0; i < 40; i++) { t.push(await timed(async () => { const s = one.next((e) => e.type === "task.settled"); await Task.create(one.deps, INPUT); await s; })); await one.idle(); }
console.log("one at a time p50", median(t.slice(10)));
calls = 0;
const N = Number(process.argv[2] ?? 200);
const cpu = process.cpuUsage();
const r = await inFlight(16, N); const c2 = process.cpuUsage(cpu);
console.log("rate", r, "calls/task", calls / N, "cpu ms/task", (c2.user + c2.system) / 1000 / N, by);
await one.close();
