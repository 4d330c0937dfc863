import { readFile } from "node:fs/promises";
import * as z from "zod";
import { fail, messageOf } from "../../../ground/errors.ts";
import { PHASES, Question, TaskType } from "../../task/index.ts";
import type { RunRequest } from "../port.ts";

/**
 * A scenario: an ordered list of rules, the first that matches a run says what happens, else the run succeeds. A rule matches
 * by numbers and names that the pipeline keeps, never by a count in memory: a host that starts again plays the same play.
 */

const delay = { delay_ms: z.int().min(0).max(86_400_000).optional() };

const Step = z.discriminatedUnion("step", [
  /** Does the phase's work well. */
  z.strictObject({ step: z.literal("succeed"), ...delay }),
  /** Answers well and changes nothing. */
  z.strictObject({ step: z.literal("no_diff"), ...delay }),
  /** Leaves a test that fails until the next round. */
  z.strictObject({ step: z.literal("red_tests"), ...delay }),
  z.strictObject({ step: z.literal("review_rejects"), findings: z.array(z.string().min(1)).min(1), ...delay }),
  z.strictObject({ step: z.literal("rate_limit"), retry_after_ms: z.int().min(0).optional(), ...delay }),
  z.strictObject({ step: z.literal("server_error"), status: z.int().min(500).max(599).default(503), ...delay }),
  /** Never answers; ends when the run's signal aborts. */
  z.strictObject({ step: z.literal("hang"), ...delay }),
  /** Does half the work in a child process that kills itself. */
  z.strictObject({ step: z.literal("crash"), ...delay }),
  z.strictObject({ step: z.literal("question"), ...Question.shape, ...delay }),
  /** Succeeds and also puts `content` in place of `find` (of the whole file without it), so that two items can collide. */
  z.strictObject({
    step: z.literal("edit"),
    path: z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$)).+/, "must be a path inside the tree"),
    find: z.string().min(1).optional(),
    content: z.string(),
    ...delay,
  }),
  /** Succeeds and also writes a file that looks like it holds a key. */
  z.strictObject({ step: z.literal("secret"), ...delay }),
  /** Succeeds after `ms`, in parts when it is paused. */
  z.strictObject({ step: z.literal("slow"), ms: z.int().min(0).max(86_400_000), ...delay }),
  /** Succeeds with an answer of at least `bytes` bytes. */
  z.strictObject({ step: z.literal("output"), bytes: z.int().min(0).max(100_000_000), ...delay }),
]);
export type Step = z.infer<typeof Step>;

const Match = z.strictObject({
  /** The item's id; `*` stands for any characters. */
  item: z.string().min(1).optional(),
  /** The item's place in the backlog, 0 is the first. */
  index: z.int().min(0).optional(),
  phase: z.enum(PHASES).optional(),
  /** The task's type, for tasks without an item too. */
  type: TaskType.optional(),
  round: z.int().min(0).optional(),
  attempt: z.int().min(1).optional(),
  turn: z.int().min(1).optional(),
  model: z.string().min(1).optional(),
});
export type Match = z.infer<typeof Match>;

export const Scenario = z.strictObject({
  name: z.string().min(1),
  rules: z.array(z.strictObject({ match: Match, do: Step })).max(1000),
});
export type Scenario = z.infer<typeof Scenario>;

/** Reads a scenario file (JSON); throws `scenario.invalid` with the path to the mistake. */
export async function load(file: string): Promise<Scenario> {
  const invalid = (what: string) =>
    fail("scenario.invalid", `${file}: ${what}`, {
      remedy: "Correct the scenario file, or run without one.",
    });
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (thrown) {
    throw invalid(messageOf(thrown));
  }
  const result = Scenario.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error.issues.map((issue) => `${pathOf(issue.path)}: ${issue.message}`).join("; "));
}

/** What a run does: the step of the first rule that matches, else "succeed". */
export function stepFor(scenario: Scenario, request: RunRequest): Step {
  return scenario.rules.find((rule) => matches(rule.match, request))?.do ?? { step: "succeed" };
}

function matches(match: Match, { item, task, model }: RunRequest): boolean {
  const same = (wanted: unknown, actual: unknown) => wanted === undefined || wanted === actual;
  return (
    (match.item === undefined || (item !== undefined && globs(match.item, item.id))) &&
    same(match.index, item?.index) &&
    same(match.phase, item?.phase) &&
    same(match.type, task.type) &&
    same(match.round, item?.round) &&
    same(match.attempt, task.attempt) &&
    same(match.turn, task.turn) &&
    same(match.model, model)
  );
}

function globs(glob: string, text: string): boolean {
  const pattern = glob.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`).test(text);
}

/** `rules[2].do.ms`, or "the file" for its whole. */
function pathOf(path: readonly PropertyKey[]): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return text.replace(/^\./, "") || "the file";
}
