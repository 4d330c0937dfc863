import { describe, expect, it } from "vitest";
import { isKnown } from "../../../functions/cli/known.ts";
import { answers, ID } from "./recorded.ts";

const tasks = answers["GET /api/agent/tasks?limit=20"].body;
const [task] = tasks.tasks;
const attempts = answers[`GET /api/agent/tasks/${ID}/attempts`].body;
const [attempt] = attempts.attempts;

const listed = (answer: unknown) => isKnown("GET", "/api/agent/tasks", answer, ["tasks", "total"]);
const tried = (answer: unknown) => isKnown("GET", "/api/agent/tasks/{id}/attempts", answer, ["attempts"]);

describe("an answer of the API", () => {
  it.each<[string, unknown]>([
    ["as it is", tasks],
    [
      "of a newer host: more fields, more words",
      { ...tasks, more: 1, tasks: [{ ...task, more: 1, status: "paused" }] },
    ],
    ["of an older host: fewer values", { total: 1, tasks: [{ id: ID }] }],
    ["without tasks", { total: 0, tasks: [] }],
  ])("is known %s", (_name, answer) => {
    expect(listed(answer)).toBe(true);
  });

  it("is known with fields that a command does not read, whatever they are", () => {
    expect(listed({ ...tasks, next_cursor: 5 })).toBe(true);
  });
});

describe("anything else", () => {
  it.each<[string, unknown]>([
    ["no JSON", undefined],
    ["null", null],
    ["a text", "It works!"],
    ["a list", []],
    ["another object", { status: "ok" }],
    ["a field that is missing", { tasks: [] }],
    ["a field that is null", { tasks: null, total: 0 }],
    ["a field of another type", { tasks: {}, total: 0 }],
    ["a list of something else", { tasks: [5], total: 1 }],
    ["a value of another type", { tasks: [{ ...task, direction: 5 }], total: 1 }],
    ["an object where one is null or there", { tasks: [{ ...task, item: "x" }], total: 1 }],
  ])("is a stranger's: %s", (_name, answer) => {
    expect(listed(answer)).toBe(false);
  });

  it("so is one without the lists that a command looks into", () => {
    expect(tried(attempts)).toBe(true);
    expect(tried({ attempts: [{ ...attempt, tried: undefined }] })).toBe(false);
    expect(tried({ attempts: [{ n: 1 }] })).toBe(false);
    expect(tried({ attempts: [{ ...attempt, outcome: null, candidates: null }] })).toBe(true);
    expect(tried({ attempts: [{ ...attempt, outcome: { kind: 5 } }] })).toBe(false);
  });

  it("and one of an operation or a field that the document does not have", () => {
    expect(isKnown("GET", "/api/nothing", tasks, ["tasks"])).toBe(false);
    expect(isKnown("GET", "/api/agent/tasks", tasks, ["nothing"])).toBe(false);
  });
});
