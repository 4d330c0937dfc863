import * as Friction from "../../work/friction/index.ts";
import * as Provider from "../../work/provider/index.ts";
import type * as Task from "../../work/task/index.ts";
import type { PipelineDeps } from "./deps.ts";

/** A provider that served is asked by all again, and what was wrong with it is over. */
export async function providerServed(
  deps: PipelineDeps,
  candidate: Task.Candidate,
  health: Provider.Health,
): Promise<void> {
  const target = Provider.targetOf(deps.providers, candidate);
  // A friction episode begins with a failure that is counted there too, or with a guard of what is paid.
  const paid = deps.providers.all().find((one) => one.name === candidate.provider)?.capabilities.paid;
  if (!paid && !health.cooldowns.some((row) => row.account === target.account)) return;
  const opened = await Provider.served(deps, target, health.cooldowns);
  await Friction.close(deps, candidate.provider);
  if (opened) await deps.events.publish({ type: "provider.ready", provider: candidate.provider });
}
