import { describe, expect, it } from "vitest";
import * as Status from "../../core/watch/status/index.ts";
import { examine, type Wiring } from "../../core/watch/status/integration.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { ROLES, TaskType } from "../../core/work/task/index.ts";
import { testDeps } from "../support/deps.ts";

const NOW = Date.UTC(2026, 4, 20, 12);
const CODEX = { name: "codex", account: "none", models: [] };
const WORKS = { works: true, detail: "it answered", remedy: "Nothing." };
const PROFILES = ["dev-engineer", "product-manager", "qa-engineer", "reviewer", "spec-guard"];
const WIRING: Wiring = {
  taskTypes: TaskType.options,
  roles: ROLES,
  profiles: PROFILES,
  programs: { aider: WORKS, agent: WORKS, openclaw: WORKS },
  cheap: "cursor",
  escalation: "claude",
};
const gaps = (more: Partial<Wiring>) =>
  examine({ ...WIRING, ...more }, NOW).integration.gaps.map(({ id, severity }) => `${id} ${severity}`);

describe("integration", () => {
  it("is healthy when every type has its agent, every role its words and every executor its program", () => {
    expect(examine(WIRING, NOW)).toEqual({
      generated_at: "2026-05-20T12:00:00.000000+00:00",
      status: "healthy",
      summary: { task_types: 5, profiles: 5, gap_count: 0, high_gap_count: 0 },
      integration: {
        primary_bindings: {
          spec: "product-manager",
          test: "qa-engineer",
          impl: "dev-engineer",
          review: "reviewer",
          heal: "dev-engineer",
        },
        guard_bindings: { spec: [], test: [], impl: [], review: ["spec-guard"], heal: [] },
        agent_profiles: PROFILES,
        missing_profile_files: [],
        unbound_profiles: [],
        unmapped_task_types: [],
        binary_checks: { aider: true, agent: true, openclaw: true },
        policy_defaults: { cheap_executor: "cursor", escalation_executor: "claude" },
        gaps: [],
      },
    });
  });

  it("names each gap with its weight", () => {
    expect(gaps({ taskTypes: [...TaskType.options, "deploy"] })).toEqual(["unmapped-task-type:deploy high"]);
    expect(gaps({ profiles: PROFILES.slice(0, 4) })).toEqual(["missing-agent-profile:spec-guard high"]);
    expect(gaps({ profiles: [...PROFILES, "writer"] })).toEqual(["unbound-agent-profile:writer medium"]);
    const none = { works: false, detail: "not installed", remedy: "Install it." };
    expect(gaps({ programs: { aider: none, agent: none, openclaw: none } })).toEqual([
      "missing-executor-binary:aider medium",
      "missing-executor-binary:agent high",
      "missing-executor-binary:openclaw low",
    ]);
    const { status, summary } = examine({ ...WIRING, programs: { ...WIRING.programs, aider: none } }, NOW);
    expect([status, summary.gap_count, summary.high_gap_count]).toEqual(["healthy", 1, 0]);
  });

  it("goes by the settings and by what the probes stored, and looks for nothing on this machine", async () => {
    const deps = await testDeps({ env: { AGENT_EXECUTOR_CHEAP_DEFAULT: "openclaw", PATH: "/nowhere" } });
    const empty = await Status.integration(deps);
    expect(Status.Integration.parse(empty)).toEqual(empty);
    expect(empty).toMatchObject({
      status: "healthy",
      integration: {
        agent_profiles: PROFILES,
        missing_profile_files: [],
        unbound_profiles: [],
        binary_checks: { aider: true, agent: true, openclaw: true },
        policy_defaults: { cheap_executor: "openclaw", escalation_executor: "claude" },
      },
    });
    await Provider.saveReadiness(deps, CODEX, { ready: false, detail: "no key", remedy: "Set one." });
    const unready = await Status.integration(deps);
    expect(unready.status).toBe("needs_attention");
    expect(unready.integration.gaps).toEqual([
      {
        id: "missing-executor-binary:openclaw",
        severity: "high",
        message: "openclaw (executor openclaw) cannot be used: no key",
        fix_hint: "Set one.",
      },
    ]);
    await Provider.saveReadiness(deps, CODEX, { ready: true, detail: "it answered" });
    let calls = 0;
    deps.store.onCapacity = () => calls++;
    expect(await Status.integration(deps)).toMatchObject({ status: "healthy", summary: { gap_count: 0 } });
    expect(calls).toBe(1);
  });

  it("a probe makes no program available that the settings do not name", async () => {
    const deps = await testDeps({ env: { AGENT_EXECUTORS_AVAILABLE: "cursor,claude" } });
    await Provider.saveReadiness(deps, CODEX, { ready: true, detail: "it answered" });
    const { status, integration } = await Status.integration(deps);
    expect([status, integration.binary_checks.openclaw]).toEqual(["healthy", false]);
    expect(integration.gaps).toMatchObject([{ id: "missing-executor-binary:openclaw", severity: "low" }]);
  });
});
