import { describe, expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Attempt from "../../../core/work/attempt/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import {
  attemptOf,
  attemptOnce,
  entered,
  failed,
  finished,
  hold,
  itemOf,
  newTask,
  pushItems,
  rowOf,
  scripted,
  testPipeline,
  untilStill,
} from "../../support/pipeline.ts";

/** Single inputs that once stopped or misled much more than themselves. */

describe("a question", () => {
  it("with a blank default waits for a person and holds up nobody", async () => {
    const deps = await testPipeline({
      providers: [
        scripted("alpha", ({ item }) =>
          item?.id === "one"
            ? finished({ question: { prompt: "Which?", default: "  " } })
            : finished({ verdict: "pass" }),
        ),
      ],
    });
    await pushItems(deps, ["one", "two"]);
    await untilStill(deps);
    expect((await itemOf(deps, "one")).state).toBe("asking");
    expect((await itemOf(deps, "two")).state).toBe("done");
  });

  it("of the pipeline's own is not told to the agent as one that it asked", async () => {
    let down = true;
    const prompts: string[] = [];
    const deps = await testPipeline({
      providers: [
        scripted("alpha", ({ prompt }) => {
          prompts.push(prompt);
          return down ? failed("content_filter") : finished();
        }),
      ],
    });
    const id = await newTask(deps);
    await attemptOnce(deps, id);
    expect((await rowOf(deps, id)).decision_prompt).toContain("planted content_filter");
    down = false;
    await Pipeline.decide(deps, id, "go-on-please");
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
    expect(prompts.at(-1)).not.toContain("go-on-please");
  });
});

describe("a prompt override that nobody can use", () => {
  it("asks a person with the remedy instead of spending rounds", async () => {
    const deps = await testPipeline();
    deps.settings = async () => ({ prompts: { impl: "Do {{nonsense}}." } });
    const id = await newTask(deps);
    const { row } = await attemptOnce(deps, id);
    expect(row).toMatchObject({ status: "needs_decision", tries: 0, stalls: 0 });
    expect(row.decision_prompt).toMatch(/nonsense/);
    expect(deps.requests).toEqual([]);
    deps.settings = async () => ({ prompts: {} });
    await Pipeline.decide(deps, id, "mended");
    expect((await attemptOnce(deps, id)).row.status).toBe("completed");
  });
});

describe("saved progress", () => {
  it("is found behind any number of parks", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps);
    const ref = await entered(deps, await hold(deps, id));
    await Attempt.save(deps.store, ref, "began", '{"head":"abc"}');
    await Pipeline.release(deps, id);
    for (let n = 0; n < 15; n++) {
      await hold(deps, id);
      await Pipeline.release(deps, id);
    }
    const now = await rowOf(deps, id);
    expect(now.att).toBe(16);
    expect(await Attempt.saved(deps.store, { taskId: id, n: now.att }, "began")).toMatchObject({
      value: { head: "abc" },
      n: 1,
    });
  });

  it("the prompt of a turn can be read again", async () => {
    const deps = await testPipeline();
    const id = await newTask(deps, { direction: "Say exactly this" });
    await attemptOnce(deps, id);
    const attempt = await attemptOf(deps, id, 1);
    const prompt = await Attempt.readPrompt(deps.store, { taskId: id, n: 1, turn: attempt.turn });
    expect(prompt).toContain("Say exactly this");
  });
});

it("a host that works on one backlog alone starts no other's items and spends none of its limit on them", async () => {
  const deps = await testPipeline();
  await Backlog.push(deps, { id: "mine", kind: "product", text: "1. Mine {#mine}\n" });
  await Backlog.push(deps, { id: "other", kind: "product", text: "1. Other {#other}\n" });
  Object.assign(deps.pace, { only: "mine", itemsLeft: 1 });
  const made = await Pipeline.tick(deps);
  expect(made).toHaveLength(1);
  expect((await itemOf(deps, "mine", "mine")).state).toBe("spec");
  expect((await itemOf(deps, "other", "other")).state).toBe("queued");
});
