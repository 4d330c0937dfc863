import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Keys } from "../../core/ground/store/index.ts";

/** docs/ARCHITECTURE.md lists every key: what `keys.ts` builds is what it says, and it says nothing else. */

type Built = { where: string; pk: string; sk?: string };

const AT = Date.UTC(2026, 4, 20, 12, 34);
const ID = "task_0123456789abcdef";
const helper: unknown[] = [];

/** What each export builds, by an example or two. The types ask for a line for every new one; bounds, prefixes and readers of keys build none. */
const EXAMPLES: { [K in keyof typeof Keys]: unknown[] } = {
  task: [Keys.task(ID)],
  taskPart: [Keys.taskPart(ID, "context")],
  runState: [Keys.runState(ID)],
  taskPartition: [Keys.taskPartition(ID)],
  statusPartition: [Keys.statusPartition("pending", AT), Keys.statusPartition("failed", AT)],
  byStatus: [Keys.byStatus("pending", AT, ID), Keys.byStatus("failed", AT, ID)],
  typePartition: [Keys.typePartition("impl", AT)],
  byType: [Keys.byType("impl", AT, ID)],
  queuePartition: [Keys.queuePartition("pipeline")],
  due: [Keys.due("pipeline", 50, AT, ID)],
  asidePartition: [{ gsi3pk: Keys.asidePartition("pipeline", "impl"), gsi3sk: Keys.due("pipeline", 5, AT, ID).gsi3sk }],
  DELAYED: [Keys.DELAYED],
  delayed: [Keys.delayed(AT, ID)],
  dueBy: helper,
  attempt: [Keys.attempt(ID, 1)],
  attemptPart: [Keys.attemptPart(ID, 1, 2, "prompt"), Keys.attemptPart(ID, 1, 2, "saved#base")],
  logChunk: [Keys.logChunk(ID, 1, 2, 3)],
  logPrefix: helper,
  OPEN_ATTEMPTS: [Keys.OPEN_ATTEMPTS],
  byLease: [Keys.byLease(AT, ID)],
  leaseEndedBy: helper,
  endedPartition: [Keys.endedPartition(AT)],
  endWithoutAttempt: [Keys.endWithoutAttempt(ID)],
  byEnd: [Keys.byEnd(AT, ID)],
  lock: [Keys.lock("dispatch")],
  SHARDS: helper,
  ENDED_COUNTERS: [Keys.ENDED_COUNTERS],
  endedCounter: [Keys.endedCounter("failed", "impl", 7)],
  metricPartition: [Keys.metricPartition(AT)],
  metric: [Keys.metric(AT, ID, 1), Keys.metric(AT, ID, 1, "#out")],
  ROLLUPS: [Keys.ROLLUPS],
  rollup: [Keys.rollup(AT)],
  rollupAgain: [Keys.rollupAgain(AT)],
  requestPartition: (["minute", "hour", "day"] as const).map((span) => Keys.requestPartition(span, AT)),
  requestsFrom: helper,
  requests: (["minute", "hour", "day"] as const).map((span) => Keys.requests(span, AT, "GET", "/api/x")),
  BACKLOGS: [Keys.BACKLOGS],
  backlog: [Keys.backlog("b")],
  backlogEntry: [Keys.backlogEntry("b")],
  item: [Keys.item("b", "i")],
  itemsPrefix: helper,
  itemStatePartition: [Keys.itemStatePartition("b", "impl")],
  byItemState: [Keys.byItemState("b", "impl", 1, "i", 2)],
  itemPlace: helper,
  PROVIDERS: [Keys.PROVIDERS],
  provider: [Keys.provider("codex")],
  accountCooldown: [Keys.accountCooldown("codex", "none"), Keys.accountCooldown("codex", "0a1b2c3d")],
  modelCooldown: [Keys.modelCooldown("codex", "0a1b2c3d", "m1")],
  PAID_HOURS: [Keys.PAID_HOURS],
  paidHour: [Keys.paidHour(AT)],
  providerPause: [Keys.providerPause("codex")],
  PAUSES_PREFIX: helper,
  COOLDOWNS_PREFIX: helper,
  READINESS_PREFIX: helper,
  WORKERS: [Keys.WORKERS],
  worker: [Keys.worker("w")],
  RUNNERS: [Keys.RUNNERS],
  runner: [Keys.runner("r")],
  byLastSeen: [Keys.byLastSeen(AT, AT, "r")],
  seenFrom: helper,
  leaseIn: helper,
  FRICTION_OPEN: [Keys.FRICTION_OPEN],
  frictionEpisode: [Keys.frictionEpisode("codex", "quota")],
  frictionEvent: [Keys.frictionEvent(AT, "01ARZ3NDEKTSV4RRFFQ69G5FAV")],
  PINGS: [Keys.PINGS],
  fingerprintPartition: [Keys.fingerprintPartition("f")],
  fingerprint: [Keys.fingerprint("f", ID)],
  ping: [Keys.ping("reaper")],
  session: [Keys.session("s")],
  idempotency: [Keys.idempotency("k")],
  config: [Keys.config("home")],
  execution: [Keys.execution("e")],
  issue: [Keys.issue("f")],
  issuePartition: [Keys.issuePartition("open")],
  byIssueState: [Keys.byIssueState("open", 1, AT, "f")],
  resolution: [Keys.resolution("f", AT)],
  resolutionPartition: [Keys.resolutionPartition(AT)],
  byResolution: [Keys.byResolution(AT, "f", true), Keys.byResolution(AT, "f", false)],
  resolvedFrom: helper,
  wasHealed: helper,
  monitor: [Keys.monitor("check"), Keys.monitor("report"), Keys.monitor("fatal")],
};

/** What stands for a text of our own; any other name stands for a text without the mark between two parts. */
const FORMS: Record<string, string> = {
  ts: "\\d{13}",
  minute: "\\d{12}",
  hour: "\\d{10}",
  day: "\\d{8}",
  month: "\\d{6}",
  nn: "\\d{2}",
  nnn: "\\d{3}",
  nnnnnn: "\\d{6}",
};
const asPattern = (text: string) =>
  new RegExp(
    `^${text
      .split(/(<[^>]+>)/)
      .map((part, i) =>
        i % 2 === 1 ? (FORMS[part.slice(1, -1)] ?? "[^#]+") : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"),
      )
      .join("")}$`,
  );

const doc = readFileSync(new URL("../../docs/ARCHITECTURE.md", import.meta.url), "utf8");
const section = doc.split("### Every key\n")[1]?.split(/\n##/)[0] ?? "";
/** Documented keys: `pk` / `sk`, of the table or behind the name of an index. */
const documented = [...section.matchAll(/(gsi\d )?`([^`]+)` \/ `([^`]+)`/g)].map(([text, where, pk = "", sk = ""]) => ({
  text,
  where: where?.trim() ?? "table",
  pk: asPattern(pk),
  sk: asPattern(sk),
}));
const says = (one: Built) =>
  documented.filter(
    ({ where, pk, sk }) =>
      (one.sk === undefined || where === one.where) && pk.test(one.pk) && (one.sk === undefined || sk.test(one.sk)),
  );

function builtOf(example: unknown): Built {
  if (typeof example === "string") return { where: "table", pk: example };
  const { pk, sk, ...index } = example as Record<string, string>;
  if (pk !== undefined && sk !== undefined) return { where: "table", pk, sk };
  const where = Object.keys(index)[0]?.slice(0, 4) ?? "";
  return { where, pk: index[`${where}pk`] ?? "", sk: index[`${where}sk`] ?? "" };
}

describe("every key", () => {
  const built = Object.entries(EXAMPLES).flatMap(([name, examples]) =>
    examples.map((example) => ({ name, ...builtOf(example) })),
  );

  it("that is built has its place in the documented list", () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(Object.keys(Keys).sort());
    expect(built.filter((one) => says(one).length === 0)).toEqual([]);
  });

  it("that is documented is built", () => {
    expect(documented.length).toBeGreaterThan(40);
    const said = new Set(
      built.filter(({ sk }) => sk !== undefined).flatMap((one) => says(one).map(({ text }) => text)),
    );
    expect(documented.map(({ text }) => text).filter((text) => !said.has(text))).toEqual([]);
  });
});
