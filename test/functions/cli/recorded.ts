import type { Answers } from "./host.ts";

/** A title as an agent under attack would write it: moves the cursor, renames the window, turns text around, ends the line. */
export const HOSTILE = "fix\u001b[2J\u001b]0;owned\u0007 the \u202eparser\u009b31m\r\nSTATUS: ok\u0000";
/** The same, made safe. */
export const HARMLESS = "fix the parser STATUS: ok";

export const ID = "task_00112233445566aa";
const OTHER = "task_ffeeddccbbaa9988";

const listed = {
  id: ID,
  direction: HOSTILE,
  task_type: "impl",
  status: "running",
  model: "codex/gpt-5",
  progress_pct: null,
  current_step: "suite",
  decision_prompt: null,
  decision: null,
  claimed_by: "host-1",
  claimed_at: "2026-01-31T09:30:00.000000Z",
  created_at: "2026-01-31T09:29:00.000000Z",
  updated_at: "2026-01-31T09:31:00.000000Z",
};

const whole = {
  ...listed,
  status: "failed",
  command: "x",
  output: "o",
  context: {},
  error: {
    class: "bad_result",
    message: `suite redder: ${HOSTILE}`,
    excerpt: "1 failed\n\u001b[31mexpected 1\u001b[0m",
    remedy: "Read the failing test.",
    retryable: true,
    who_acts: "user",
  },
  item: { backlog: "main", item: "cli-watch", seq: 3, phase: "impl", round: 2 },
  retry_not_before: null,
  wait_reason: null,
  att: 2,
};

const attempt = {
  n: 2,
  by: "pipeline",
  owner: "host-1",
  queued_at: "2026-01-31T09:29:00.000000Z",
  claimed_at: "2026-01-31T09:30:00.000000Z",
  ended_at: "2026-01-31T10:35:30.000000Z",
  end: { status: "failed", class: "bad_result", message: "suite redder" },
  turn: 2,
  step: "suite",
  chosen: 1,
  candidates: [
    { provider: "claude", model: "opus", where: "machine", reason: "pin" },
    { provider: "codex", model: "gpt-5", where: "machine", reason: "fallback" },
  ],
  skipped: [
    { provider: "gemini", model: "pro", reason: "auth: no key", who_acts: "user", remedy: "Set GEMINI_API_KEY." },
  ],
  tried: [
    {
      provider: "claude",
      model: "opus",
      turn: 1,
      class: "rate_limit",
      message: "429",
      ms: 61_500,
      usage: { tokens_in: null, tokens_out: null, tokens_cached: null, cost_usd: null },
    },
  ],
  outcome: { kind: "bad", message: "suite redder", remedy: "x" },
  usage: { tokens_in: 10, tokens_out: 5, tokens_cached: null, cost_usd: 0.0042 },
};

const line = {
  id: ID,
  task_type: "impl",
  model: "codex/gpt-5",
  direction: HOSTILE,
  claimed_by: "host-1",
  created_at: "2026-01-31T09:29:00.000000+00:00",
  updated_at: "None",
  wait_seconds: null,
  running_seconds: null,
  duration_seconds: null,
};

/** One answer of each route that the command reads, in the API's shapes. */
export const answers = {
  "GET /api/agent/tasks?limit=20": { body: { tasks: [listed], total: 41, next_cursor: null } },
  "GET /api/agent/tasks?status=failed&task_type=impl&limit=5": { body: { tasks: [], total: 0 } },
  "GET /api/agent/tasks?status=needs_decision&limit=20": {
    body: {
      tasks: [{ ...listed, id: OTHER, status: "needs_decision", decision_prompt: `Which port?${HOSTILE}` }],
      total: 1,
    },
  },
  [`GET /api/agent/tasks/${ID}`]: { body: whole },
  [`GET /api/agent/tasks/${ID}/attempts`]: { body: { attempts: [attempt], total: 2 } },
  [`GET /api/agent/tasks/${ID}/log`]: {
    body: {
      task_id: ID,
      log: `# header\n---\n${HOSTILE}\n\tindented\n50 %\r100 %\n`,
      command: "x",
      output: null,
      truncated: true,
      next_offset: 99,
    },
  },
  [`POST /api/agent/tasks/${ID}/cancel`]: { body: { ...whole, status: "cancelled" } },
  [`POST /api/agent/tasks/${ID}/retry`]: { body: { ...whole, status: "pending" } },
  [`POST /api/agent/tasks/${ID}/release`]: { body: { ...whole, status: "pending" } },
  [`POST /api/agent/tasks/${ID}/decide`]: { body: { ...whole, status: "pending" } },
  "GET /api/agent/backlogs": { body: { backlogs: [{ id: "main" }, { id: "other" }], total: 2 } },
  "GET /api/agent/backlogs/main/items": {
    body: {
      items: [
        {
          id: "cli-watch",
          backlog: "main",
          kind: "product",
          text: HOSTILE,
          state: "abandoned",
          phase: "impl",
          round: 6,
          task: ID,
          last: "suite redder",
        },
      ],
      total: 1,
    },
  },
  "POST /api/agent/backlogs/main/items/cli-watch/retry": {
    body: { id: "cli-watch", text: "x", state: "impl", phase: "impl", round: 0, task: null, last: null },
  },
  "GET /api/agent/backlogs/other/items?state=done": { body: { items: [], total: 0 } },
  "POST /api/agent/backlogs/main/push": {
    body: { created: ["a", "b"], changed: ["c"], returned: [], retired: ["d"], unchanged: 7, problems: [] },
  },
  "GET /api/agent/providers": {
    body: {
      providers: [
        {
          name: "codex",
          ready: true,
          detail: "codex 1.0",
          remedy: null,
          checked_at: "2026-01-31T09:29:00.000000Z",
          cooldowns: [{ model: "gpt-5", class: "rate_limit", until: "2026-01-31T09:45:00.000000Z", message: "429" }],
          models: ["gpt-5"],
        },
        {
          name: "claude",
          ready: false,
          detail: HOSTILE,
          remedy: "Set ANTHROPIC_API_KEY.",
          checked_at: "2026-01-31T09:29:00.000000Z",
          cooldowns: [],
          models: [],
        },
      ],
    },
  },
  "GET /api/agent/workers": {
    body: {
      workers: [
        {
          id: "host-1",
          capabilities: ["codex"],
          live: true,
          seen_at: "2026-01-31T09:31:00.000000Z",
          doing: [{ task_id: ID, attempt: 2, step: "running the suite" }],
        },
        { id: "host-2", capabilities: [], live: true, seen_at: "2026-01-31T09:31:00.000000Z", doing: [] },
      ],
    },
  },
  "GET /api/agent/pipeline-status": {
    body: {
      running: [{ ...line, running_seconds: 61 }],
      pending: [{ ...line, id: OTHER, wait_seconds: 7260 }],
      recent_completed: [{ ...line, duration_seconds: 59, output_len: 3 }],
      running_by_phase: { spec: 0, impl: 2, test: 0, review: 0 },
      latest_request: null,
      latest_response: null,
      attention: { stuck: true, low_success_rate: true, flags: ["stuck", "low_success_rate"] },
      project_manager: null,
    },
  },
  "GET /api/agent/metrics": {
    body: {
      success_rate: { completed: 9, failed: 3, total: 12, rate: 0.75 },
      execution_time: { p50_seconds: 200, p95_seconds: 4000 },
      by_task_type: {},
      by_model: {},
      usage: { tokens_in: null, tokens_out: null, cost_usd: 1.5, coverage: 1, cost_coverage: 0.8 },
    },
  },
  "POST /api/agent/cleanup": {
    body: { worktrees: ["/home/x/worktrees/a"], branches: ["coherence-item/main/a"], logs: 2 },
  },
} satisfies Answers;
