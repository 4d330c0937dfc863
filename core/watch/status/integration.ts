import * as z from "zod";
import type { Config } from "../../ground/config.ts";
import type { Deps } from "../../ground/deps.ts";
import * as Executor from "../../flow/executor/index.ts";
import * as Prompt from "../../flow/prompt/index.ts";
import * as Provider from "../../work/provider/index.ts";
import { ROLES, TaskType } from "../../work/task/index.ts";
import { timestamp } from "./item.ts";

const count = z.number().int();
const Gap = z.strictObject({
  id: z.string(),
  severity: z.enum(["high", "medium", "low"]),
  message: z.string(),
  fix_hint: z.string(),
});
type Gap = z.infer<typeof Gap>;

/** The program of each of the contract's executors. */
const BINARIES = { aider: "claude", agent: "cursor", openclaw: "openclaw" } as const;
type Binary = keyof typeof BINARIES;
const BINARY_NAMES = Object.keys(BINARIES) as Binary[];

/** Contract 4.8: whether every task type has somebody to do it, every role its words, every executor its program. */
export const Integration = z.strictObject({
  generated_at: z.string(),
  status: z.enum(["healthy", "needs_attention"]),
  summary: z.strictObject({ task_types: count, profiles: count, gap_count: count, high_gap_count: count }),
  integration: z.strictObject({
    primary_bindings: z.record(z.string(), z.string()),
    guard_bindings: z.record(z.string(), z.array(z.string())),
    agent_profiles: z.array(z.string()),
    missing_profile_files: z.array(z.string()),
    unbound_profiles: z.array(z.string()),
    unmapped_task_types: z.array(z.string()),
    /** What the settings and the last probe of a provider that stands for the executor said. */
    binary_checks: z.strictObject({ aider: z.boolean(), agent: z.boolean(), openclaw: z.boolean() }),
    policy_defaults: z.strictObject({ cheap_executor: z.string(), escalation_executor: z.string() }),
    gaps: z.array(Gap),
  }),
});
export type Integration = z.infer<typeof Integration>;

/** What the rules look at. */
export type Wiring = {
  taskTypes: readonly string[];
  /** Who works on a type, and which guards stand beside. */
  roles: Readonly<Record<string, { agent: string; guards: readonly string[] }>>;
  /** Roles that prompts speak as: what profile files were once. */
  profiles: readonly string[];
  programs: Readonly<Record<Binary, { works: boolean; detail: string; remedy: string }>>;
  cheap: string;
  escalation: string;
};

/** How it stands now: one read, nothing is started or looked for on this machine. */
export async function integration(deps: Pick<Deps, "store" | "clock" | "config">): Promise<Integration> {
  const { readiness } = await Provider.health(deps);
  const cheap = Executor.cheapOf(deps.config.executor);
  return examine(
    {
      taskTypes: TaskType.options,
      roles: ROLES,
      profiles: Prompt.profiles(),
      programs: {
        aider: program("aider", deps.config, readiness),
        agent: program("agent", deps.config, readiness),
        openclaw: program("openclaw", deps.config, readiness),
      },
      cheap,
      escalation: Executor.escalationOf(deps.config.executor, cheap),
    },
    deps.clock.now(),
  );
}

/** The gaps of a wiring, in the contract's words. Pure; `now` in ms. */
export function examine(wiring: Wiring, now: number): Integration {
  const { taskTypes, roles, profiles, programs } = wiring;
  const mapped = taskTypes.filter((type) => Object.hasOwn(roles, type));
  const bound = new Set(mapped.flatMap((type) => [roles[type]?.agent ?? "", ...(roles[type]?.guards ?? [])]));
  const unmapped = taskTypes.filter((type) => !mapped.includes(type));
  const missing = [...bound].filter((profile) => !profiles.includes(profile)).sort();
  const unbound = profiles.filter((profile) => !bound.has(profile)).sort();
  const gaps = [
    ...unmapped.map((type): Gap => ({
      id: `unmapped-task-type:${type}`,
      severity: "high",
      message: `No agent is bound to ${type} tasks`,
      fix_hint: "Bind one in core/work/task (ROLES).",
    })),
    ...missing.map((profile): Gap => ({
      id: `missing-agent-profile:${profile}`,
      severity: "high",
      message: `No prompt speaks as ${profile}`,
      fix_hint: "Let the template of its task type name {{role}} (core/flow/prompt/templates).",
    })),
    ...unbound.map((profile): Gap => ({
      id: `unbound-agent-profile:${profile}`,
      severity: "medium",
      message: `${profile} is bound to no task type`,
      fix_hint: "Bind it in core/work/task (ROLES), or remove it.",
    })),
    ...BINARY_NAMES.filter((name) => !programs[name].works).map((name): Gap => ({
      id: `missing-executor-binary:${name}`,
      severity: weight(name, wiring),
      message: `${name} (executor ${BINARIES[name]}) cannot be used: ${programs[name].detail}`,
      fix_hint: programs[name].remedy,
    })),
  ];
  const high = gaps.filter(({ severity }) => severity === "high").length;
  return {
    generated_at: timestamp(now),
    status: high === 0 ? "healthy" : "needs_attention",
    summary: {
      task_types: taskTypes.length,
      profiles: profiles.length,
      gap_count: gaps.length,
      high_gap_count: high,
    },
    integration: {
      primary_bindings: Object.fromEntries(mapped.map((type) => [type, roles[type]?.agent ?? ""])),
      guard_bindings: Object.fromEntries(mapped.map((type) => [type, [...(roles[type]?.guards ?? [])]])),
      agent_profiles: [...profiles].sort(),
      missing_profile_files: missing,
      unbound_profiles: unbound,
      unmapped_task_types: unmapped,
      binary_checks: {
        aider: programs.aider.works,
        agent: programs.agent.works,
        openclaw: programs.openclaw.works,
      },
      policy_defaults: { cheap_executor: wiring.cheap, escalation_executor: wiring.escalation },
      gaps,
    },
  };
}

function weight(name: Binary, { cheap, escalation }: Wiring): Gap["severity"] {
  const executor = BINARIES[name];
  return executor === cheap ? "high" : executor === escalation ? "medium" : "low";
}

/** A program is there when the settings say so, unless the last probe of a provider that stands for it said otherwise. */
function program(
  name: Binary,
  config: Config,
  readiness: readonly Provider.ReadinessRow[],
): Wiring["programs"][Binary] {
  const executor = BINARIES[name];
  if (!Executor.isAvailable(config.executor, executor))
    return {
      works: false,
      detail: "AGENT_EXECUTORS_AVAILABLE does not name it",
      remedy: `Add ${executor} to AGENT_EXECUTORS_AVAILABLE where a runner has it.`,
    };
  const own = readiness.filter((row) => Provider.executorOf(row.name) === executor);
  const probed = own.find((row) => row.ready) ?? own[0];
  if (!probed || probed.ready) return { works: true, detail: "", remedy: "" };
  return { works: false, detail: probed.detail, remedy: probed.remedy ?? "Look into the host's log." };
}
