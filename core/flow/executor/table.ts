import type { Config } from "../../ground/config.ts";
import type { TaskType } from "../../work/task/index.ts";
import { billing, type Billing } from "./billing.ts";
import { withModel, PLACE } from "./command.ts";
import type { Executor } from "./names.ts";

/** What an executor is for a task type: its model as tasks show it, its tier, and its command with a place for the direction. */
export type Route = { executor: Executor; model: string; tier: string; template: string } & Billing;

type Settings = Config["executor"];

/** Contract 3.1. `override`: `context.model_override`, which replaces the model in the command too. */
export function routeOf(settings: Settings, type: TaskType, executor: Executor, override?: string): Route {
  const own = modelOf(settings, type, executor);
  const model = override === undefined ? own : alias(settings, override);
  const template = withModel(templateOf(settings, executor, own), override === undefined ? undefined : model);
  const shown = executor === "claude" || model.startsWith(`${executor}/`) ? model : `${executor}/${model}`;
  return {
    executor,
    model: shown,
    tier: executor === "claude" ? "openrouter" : executor,
    template,
    ...billing({ executor, command: template, model: shown }),
  };
}

/** An alias stands for the whole name, else for what follows its first slash. */
export function alias({ aliases }: Pick<Settings, "aliases">, model: string): string {
  const named = (name: string) => (Object.hasOwn(aliases, name) ? aliases[name] : undefined);
  const whole = named(model);
  if (whole !== undefined) return whole;
  const slash = model.indexOf("/");
  const rest = slash < 0 ? undefined : named(model.slice(slash + 1));
  return rest === undefined ? model : `${model.slice(0, slash + 1)}${rest}`;
}

function modelOf({ models, aliases }: Settings, type: TaskType, executor: Executor): string {
  const review = type === "review" || type === "heal";
  switch (executor) {
    case "claude":
      return alias({ aliases }, review ? models.claudeReview : type === "spec" ? models.claudeSpec : models.claude);
    case "cursor":
      return alias({ aliases }, review ? models.cursorReview : models.cursor);
    case "openclaw":
      return alias({ aliases }, review ? models.openclawReview : models.openclaw);
  }
}

function templateOf(settings: Settings, executor: Executor, model: string): string {
  switch (executor) {
    case "claude":
      return `aider --model ollama/glm-4.7-flash:q8_0 --map-tokens 8192 --reasoning-effort high --yes "${PLACE}"`;
    case "cursor":
      return `agent "${PLACE}" --model {{model}}`.replaceAll("{{model}}", () => model);
    case "openclaw": {
      const own = settings.openclawTemplate;
      return (own.includes(PLACE) ? own : `${own} "${PLACE}"`).replaceAll("{{model}}", () => model);
    }
  }
}
