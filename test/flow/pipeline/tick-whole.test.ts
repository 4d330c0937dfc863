import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import * as Metrics from "../../../core/work/metrics/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import {
  failed,
  finished,
  otherHost,
  pushItems,
  rowOf,
  scripted,
  testPipeline,
  threeCounts,
  untilStill,
  type TestPipeline,
} from "../../support/pipeline.ts";
import { letters } from "./tick-support.ts";

/** Every task of every item of a backlog, by the keys that they were made with. */
async function tasksOf(deps: TestPipeline, backlog = "b"): Promise<Task.TaskRow[]> {
  const items = await Backlog.items(deps, backlog);
  const ids = items.flatMap((item) =>
    Array.from({ length: item.seq }, (_, i) => Task.idOfKey(Backlog.taskKey(backlog, item.id, i + 1))),
  );
  return Promise.all(ids.map((id) => rowOf(deps, id)));
}

describe("a whole backlog", () => {
  it("16 items through all phases: no task twice, seq right, everything counted", async () => {
    const deps = await testPipeline();
    await pushItems(deps, letters(16));
    await untilStill(deps);
    const items = await Backlog.items(deps, "b");
    expect(items.map((item) => [item.state, item.seq, item.round])).toEqual(items.map(() => ["done", 4, 0]));
    const tasks = await tasksOf(deps);
    expect(new Set(tasks.map((task) => task.id)).size).toBe(64);
    expect(tasks.map((task) => `${task.item?.seq} ${task.task_type}`)).toEqual(
      items.flatMap(() => ["1 spec", "2 impl", "3 test", "4 review"]),
    );
    expect(tasks.every((task) => task.status === "completed" && task.att === 1)).toBe(true);
    expect(deps.requests).toHaveLength(64);
    expect(new Set(deps.requests.map((request) => request.task.id)).size).toBe(64);
    const all = { completed: 64, failed: 0 };
    expect(
      await threeCounts(
        deps,
        tasks.map((task) => task.id),
      ),
    ).toEqual({ tasks: all, counters: all, metrics: all });
    expect(await Pipeline.tick(deps)).toEqual([]);
  });

  it("with rejections, questions, 429s, bad keys and crashes, on two hosts at once: every item ends, counts agree", async () => {
    let busy = 12;
    const plays: Parameters<typeof scripted>[1] = ({ item, task }) => {
      const key = `${item?.id} ${task.type} ${item?.round} ${task.attempt}`;
      if (item?.id === "i00" && task.type === "review") return finished({ verdict: "fail", findings: ["never good"] });
      if (/i01 review 0/.test(key)) return finished({ verdict: "fail", findings: ["not yet"] });
      if (/i02 spec 0 1/.test(key))
        return finished({ question: { prompt: "Which?", default: "a", default_after_s: 30 } });
      if (/i03 impl \d 1/.test(key)) return failed({ class: "rate_limit", message: "429", retry_after_ms: 60_000 });
      if (/i04 test 0 1/.test(key)) return failed("crash");
      // Longer than one attempt asks; it spends none of its tries.
      if (/i05 impl 0/.test(key) && busy-- > 0) return failed("overloaded");
      return finished();
    };
    const deps = await testPipeline({ providers: [scripted("alpha", plays), scripted("beta", plays)] });
    const second = await otherHost(deps, { id: "h2", incarnation: "one" });
    await pushItems(deps, letters(8));
    await Promise.all([untilStill(deps, 120), untilStill(second, 120)]);
    await untilStill(deps);
    const items = await Backlog.items(deps, "b");
    expect(items.map((item) => item.state)).toEqual(["abandoned", ...letters(7).map(() => "done")]);
    expect(items[0]).toMatchObject({ round: 5, last: "more than 5 rounds; the last: the review rejected it" });
    expect(items[1]).toMatchObject({ round: 1 });
    const tasks = await tasksOf(deps);
    expect(new Set(tasks.map((task) => task.id)).size).toBe(tasks.length);
    const {
      tasks: rows,
      counters,
      metrics,
    } = await threeCounts(
      deps,
      tasks.map((task) => task.id),
    );
    expect(counters).toEqual(rows);
    expect(metrics).toEqual(rows);
    expect((await Metrics.counts(deps)).total).toBe(tasks.length);
  });
});
