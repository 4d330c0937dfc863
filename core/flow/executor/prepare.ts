import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import { cut, type Create } from "../../work/task/index.ts";
import { commandOf, isPlain, promptOf } from "./command.ts";
import { historyOf } from "./history.ts";
import { byHistory, byScope, fingerprintOf, type Choice } from "./policy.ts";
import { routeOf } from "./table.ts";

/** A command lies on the task itself, which every end of it writes. */
const MAX_COMMAND_BYTES = 16 * 1024;

/** What a task carries for the runners of the contract: the model and command of its executor, and how that was chosen. */
export type Prepared = {
  model: string;
  command: string;
  context: Record<string, unknown>;
  /** Set when the policy chose: the task is remembered under it. */
  fingerprint?: string;
};

/** Chooses the executor of a task that is posted, and builds its command (contract 2.2 steps 2 and 4). Throws 413 and 422 for a command or a model that cannot be. */
export async function prepare(deps: Pick<Deps, "store" | "config">, input: Create): Promise<Prepared> {
  const settings = deps.config.executor;
  const context = input.context ?? {};
  const { executor, policy } = await choose(deps, input);
  const route = routeOf(
    settings,
    input.task_type,
    executor,
    textOf(context.command_override) ? undefined : overrideOf(context),
  );
  const { template, ...shown } = route;
  return {
    model: cut(route.model, 200),
    command: commandText(input, template),
    context: {
      executor,
      ...(policy ? { executor_policy: policy, task_fingerprint: policy.task_fingerprint } : {}),
      route_decision: { ...shown, task_type: input.task_type, policy },
    },
    ...(policy ? { fingerprint: policy.task_fingerprint } : {}),
  };
}

/** The command for whoever reads an item's task; nobody but the pipeline runs it, so no policy chooses. */
export function plainCommand(config: Deps["config"], input: Create): string {
  return commandText(input, routeOf(config.executor, input.task_type, "claude").template);
}

async function choose({ store, config }: Pick<Deps, "store" | "config">, input: Create): Promise<Choice> {
  const asked = { direction: input.direction, type: input.task_type, context: input.context ?? {} };
  const first = byScope(config.executor, asked);
  if (first) return first;
  return byHistory(config.executor, asked, await historyOf(store, fingerprintOf(asked)));
}

function commandText(input: Create, template: string): string {
  const override = textOf(input.context?.command_override);
  if (override === undefined) return commandOf(template, promptOf(input.task_type, input.direction));
  if (Buffer.byteLength(override) > MAX_COMMAND_BYTES)
    throw fail("input.too_large", "command_override is over 16 KiB", { remedy: "Put it into a script and name that." });
  return override;
}

function overrideOf(context: Readonly<Record<string, unknown>>): string | undefined {
  const model = textOf(context.model_override);
  if (model === undefined) return undefined;
  if (model.length > 200 || !isPlain(model))
    throw fail("input.invalid", "model_override is no name of a model", {
      remedy: "Letters, digits and . _ : / @ + - name one, 200 at most.",
      data: { loc: ["body", "context", "model_override"] },
    });
  return model;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
