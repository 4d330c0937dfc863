import * as Attempt from "../../core/work/attempt/index.ts";
import * as Task from "../../core/work/task/index.ts";
import { bench, median, MEMORY, ms, timed, type Row } from "./support.ts";

const CONTENDERS = 64;

/** One task, many contenders at once: one wins. */
export async function claims(): Promise<Row[]> {
  const one = await bench({ place: MEMORY });
  const times: number[] = [];
  let winners = 0;
  const tasks = 40;
  for (let i = 0; i < tasks; i++) {
    const input = Task.Create.parse({ direction: "Claim it", task_type: "impl", context: { dispatch: "external" } });
    const { id } = (await Task.create(one.deps, input)).task.row;
    times.push(
      await timed(async () => {
        const all = Array.from({ length: CONTENDERS }, (_, n) =>
          Attempt.claim(one.deps, id, { by: "client", owner: `c${n}`, leaseMs: 60_000 }).then(
            () => winners++,
            () => {},
          ),
        );
        await Promise.all(all);
      }),
    );
  }
  await one.close();
  return [
    {
      what: `claim, ${CONTENDERS} contenders on one task`,
      goal: "one wins",
      figure: `${winners} winners of ${tasks} tasks, ${ms(median(times))} till all know`,
      ok: winners === tasks,
      how: `median of ${tasks}; ${((CONTENDERS * 1000) / median(times)).toFixed(0)} claims/s`,
    },
  ];
}
