import * as z from "zod";
import * as Provider from "../provider/index.ts";
import { FailureClass } from "../task/index.ts";

/** The contract's friction event (5.1). Timestamps are ISO 8601 with a zone; energy and cost are US dollars. */
export const FrictionEvent = z.object({
  id: z.string().min(1),
  timestamp: z.iso.datetime({ offset: true }),
  stage: z.string().min(1),
  block_type: z.string().min(1),
  severity: z.string().min(1),
  owner: z.string().min(1),
  unblock_condition: z.string().min(1),
  energy_loss_estimate: z.number().min(0),
  cost_of_delay: z.number().min(0),
  status: z.string().min(1),
  endpoint: z.string().optional(),
  resolved_at: z.iso.datetime({ offset: true }).optional(),
  time_open_hours: z.number().min(0).optional(),
  resolution_action: z.string().optional(),
  notes: z.string().optional(),
});
export type FrictionEvent = z.infer<typeof FrictionEvent>;

/** Longest notes the contract keeps. */
export const MAX_NOTES = 1200;

/** The contract's words (5.2) for what is none of our failure classes: our own guards. */
const GUARDS: Readonly<Record<string, { severity: string; unblock: string }>> = {
  paid_provider_blocked: { severity: "high", unblock: "Allow paid providers, or name this one for the task." },
  usage_window_budget_exceeded: { severity: "high", unblock: "Wait for the usage window's end, or raise its budget." },
  cost_overrun: { severity: "critical", unblock: "Raise the task's cost budget, or make the task smaller." },
};

/** What a reason is in the contract's words: block type, severity, and what ends it. Unknown reasons are the provider's fault. */
export function describe(reason: string): { block_type: string; severity: string; unblock_condition: string } {
  const guard = Object.hasOwn(GUARDS, reason) ? GUARDS[reason] : undefined;
  if (guard) return { block_type: reason, severity: guard.severity, unblock_condition: guard.unblock };
  const known = FailureClass.safeParse(reason);
  if (!known.success)
    return { block_type: "tool_failure", severity: "high", unblock_condition: "The provider serves again." };
  const unblock_condition = Provider.CLASS_RULES[known.data].remedy;
  switch (known.data) {
    case "internal":
      return { block_type: "unexpected_execution_exception", severity: "critical", unblock_condition };
    case "bad_request":
      return { block_type: "validation_failure", severity: "high", unblock_condition };
    case "rate_limit":
    case "quota":
    case "payment":
    case "auth":
    case "model_not_found":
    case "overloaded":
    case "network":
    case "stalled":
    case "context_length":
    case "content_filter":
    case "bad_result":
    case "crash":
    case "workspace":
    case "no_worker":
    case "budget":
    case "cooling":
    case "lost":
    case "cancelled":
    case "unreported":
    case "reported":
      return { block_type: "tool_failure", severity: "high", unblock_condition };
  }
}
