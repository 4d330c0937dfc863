import { describe, expect, it } from "vitest";
import fc from "fast-check";
import * as ProjectManager from "../../core/flow/project-manager/index.ts";
import type { ItemRow, ItemState } from "../../core/work/backlog/index.ts";
import { PHASES, type Outcome, type Phase } from "../../core/work/task/index.ts";

const NOW = 1_000_000;

function item(more: Partial<ItemRow> = {}): ItemRow {
  const phase = more.phase ?? "spec";
  return {
    pk: "BL#b",
    sk: "I#i",
    ent: "item",
    v: 1,
    backlog: "b",
    id: "i",
    kind: "product",
    text: "Make it work",
    section: null,
    phase_number: null,
    rank: 1,
    state: phase,
    phase,
    round: 0,
    seq: 1,
    task: "task_1",
    spec_path: "specs/b/i.md",
    created_at: 0,
    updated_at: 0,
    ...more,
  };
}

const completed = (outcome: Outcome): ProjectManager.TaskEnd => ({ kind: "completed", outcome });
const back = (phase: Phase, last: string) => ({ state: phase, phase, round: 1, task: null, last });

describe("DESIGN 4's item table, row by row", () => {
  const rows: [string, Phase, ProjectManager.TaskEnd, unknown][] = [
    ["a passed spec → impl", "spec", completed({ kind: "passed" }), { state: "impl", phase: "impl", task: null }],
    [
      "a passed impl → test, and the tip it merged is forgotten",
      "impl",
      completed({ kind: "passed", head: "abc" }),
      { state: "test", phase: "test", task: null, head: "abc", merge_tip: null },
    ],
    [
      "a passed test → review",
      "test",
      completed({ kind: "passed", head: "abc" }),
      { state: "review", phase: "review", task: null, head: "abc" },
    ],
    [
      "a passed review → done",
      "review",
      completed({ kind: "passed", head: "abc", tip: "def" }),
      { state: "done", task: null, last: null, merge_tip: null, ended_at: NOW, head: "abc" },
    ],
    ["a red test → impl, a round", "test", completed({ kind: "red" }), back("impl", "the tests are red")],
    [
      "FAILURES 1: a rejected review → impl, a round of the same count",
      "review",
      completed({ kind: "rejected" }),
      back("impl", "the review rejected it"),
    ],
    [
      "a conflict → impl, a round that begins by merging the tip",
      "review",
      completed({ kind: "conflict", tip: "tip", files: ["a", "b"] }),
      { ...back("impl", "it conflicts with what was merged meanwhile: a, b"), merge_tip: "tip" },
    ],
    [
      "red after the merge → impl with that tip",
      "review",
      completed({ kind: "red_after_merge", tip: "tip" }),
      { ...back("impl", "its tests are red once merged"), merge_tip: "tip" },
    ],
    ...PHASES.map((phase): [string, Phase, ProjectManager.TaskEnd, unknown] => [
      `FAILURES 2, 3: a failed ${phase} → the same phase, a round`,
      phase,
      { kind: "failed", message: "no diff" },
      back(phase, `${phase} failed: no diff`),
    ]),
    ...PHASES.map((phase): [string, Phase, ProjectManager.TaskEnd, unknown] => [
      `FAILURES 5: a ${phase} that asks → asking, no round`,
      phase,
      { kind: "asking" },
      { state: "asking" },
    ]),
    ...PHASES.map((phase): [string, Phase, ProjectManager.TaskEnd, unknown] => [
      `a cancelled ${phase} → asking, no round`,
      phase,
      { kind: "cancelled" },
      { state: "asking", last: `its ${phase} task was cancelled` },
    ]),
  ];
  it.each(rows)("%s", (_name, phase, end, expected) => {
    expect(ProjectManager.next(item({ phase }), end, NOW)).toEqual(expected);
  });

  it.each(PHASES)("a decided or retried %s goes on in its phase", (phase) => {
    expect(ProjectManager.resumed(item({ phase, state: "asking" }))).toEqual({ state: phase });
  });

  it.each([
    [0, "queued"],
    [3, "impl"],
  ])("a retry of an abandoned item with %i tasks begins with no round spent, in %s", (seq, state) => {
    expect(ProjectManager.revived(item({ phase: "impl", seq, round: 5, state: "abandoned" }))).toEqual({
      state,
      round: 0,
      task: null,
      last: null,
      ended_at: null,
    });
  });

  it.each([
    ["completed", { kind: "completed", outcome: { kind: "red" } }],
    ["failed", { kind: "failed", message: "m" }],
    ["needs_decision", { kind: "asking" }],
    ["cancelled", { kind: "cancelled" }],
    ["pending", undefined],
    ["running", undefined],
  ] as const)("a task that is %s means for its item: %j", (status, expected) => {
    expect(ProjectManager.endOf(status, { kind: "red" }, "m")).toEqual(expected);
  });

  it("a cancelled question leaves its item asking, and says so", () => {
    const asking = item({ phase: "impl", state: "asking" });
    expect(ProjectManager.next(asking, { kind: "cancelled" }, NOW)).toMatchObject({ state: "asking" });
  });

  it("a reason that is cut in the middle of an emoji is still text", () => {
    const message = `${"x".repeat(500 - "spec failed: ".length - 1)}😀`;
    const change = ProjectManager.next(item(), { kind: "failed", message }, NOW);
    expect(change.last?.isWellFormed()).toBe(true);
  });
});

describe("FAILURES 1, 2: rounds are one budget over all phases", () => {
  const steps: [Phase, ProjectManager.TaskEnd][] = [
    ["spec", { kind: "failed", message: "why" }],
    ["test", { kind: "failed", message: "why" }],
    ["test", completed({ kind: "red" })],
    ["review", completed({ kind: "rejected" })],
    ["review", completed({ kind: "conflict", tip: "t", files: [] })],
    ["review", completed({ kind: "red_after_merge", tip: "t" })],
  ];
  it.each(steps)("after five rounds %s with %j is abandoned with its reason, never counted as done", (phase, end) => {
    const fifth = ProjectManager.next(item({ phase, round: ProjectManager.MAX_ROUNDS - 1 }), end, NOW);
    expect(fifth).toMatchObject({ round: 5 });
    const over = ProjectManager.next(item({ phase, round: ProjectManager.MAX_ROUNDS }), end, NOW);
    expect(over).toMatchObject({ state: "abandoned", task: null, ended_at: NOW });
    expect(over.last).toMatch(/^more than 5 rounds; the last: ./);
    expect(over.round).toBeUndefined();
  });
});

describe("any way through the table", () => {
  const END: ItemState[] = ["done", "abandoned"];
  const ends: ProjectManager.TaskEnd[] = [
    completed({ kind: "passed" }),
    completed({ kind: "red" }),
    completed({ kind: "rejected" }),
    completed({ kind: "conflict", tip: "t", files: ["f"] }),
    completed({ kind: "red_after_merge", tip: "t" }),
    completed({ kind: "bad", message: "m", remedy: "r" }),
    { kind: "failed", message: "m" },
    { kind: "asking" },
    { kind: "cancelled" },
  ];

  it("ends within 24 tasks, rounds never fall, seq counts every task, questions cost nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ends), { minLength: 400, maxLength: 400 }), (walk) => {
        let now = item({ state: "queued", seq: 0 });
        delete now.task;
        let tasks = 0;
        for (const end of walk) {
          if (END.includes(now.state)) break;
          if (now.state === "asking") now = { ...now, ...ProjectManager.resumed(now) } as ItemRow;
          if (now.task === undefined) {
            const { ref, input } = ProjectManager.taskFor(now);
            tasks++;
            expect([ref.seq, ref.phase, ref.round, input.task_type]).toEqual([tasks, now.phase, now.round, now.phase]);
            now = { ...now, state: now.phase, seq: ref.seq, task: `task_${ref.seq}` };
          }
          const change = ProjectManager.next(now, end, NOW);
          expect(change.round ?? now.round).toBeGreaterThanOrEqual(now.round);
          if (change.state === "asking") expect(change.round).toBeUndefined();
          const { task, ...rest } = { ...now, ...change };
          now = { ...rest, ...(typeof task === "string" ? { task } : {}) } as ItemRow;
          if (now.state !== "asking" && !END.includes(now.state)) expect(now.state).toBe(now.phase);
        }
        const moved = walk.filter((end) => end.kind === "completed" || end.kind === "failed").length;
        expect(tasks).toBeLessThanOrEqual(24);
        if (moved >= 24) expect(END).toContain(now.state);
        expect(now.round).toBeLessThanOrEqual(ProjectManager.MAX_ROUNDS);
      }),
      { numRuns: 2000 },
    );
  });

  it("taskFor gives the task what the phase's prompt and its readers need", () => {
    const { input, ref } = ProjectManager.taskFor(item({ phase: "test", round: 2, seq: 7 }));
    expect(ref).toEqual({ backlog: "b", item: "i", seq: 8, phase: "test", round: 2 });
    expect(input).toMatchObject({
      direction: "Make it work",
      task_type: "test",
      context: { backlog: "b", item_id: "i", spec_path: "specs/b/i.md", phase: "test", round: 2 },
    });
  });
});
