/** Which provider a task's executor comes to, and whether that costs (contract 3.5). */
export type Billing = { provider: string; billing_provider: string; is_paid_provider: boolean };

const PAID = new Set(["openai", "openai-codex", "claude", "cursor"]);

/** Classifies by the first rule that fits; `worker` is whoever ran it, where one did. Pure. */
export function billing(run: { worker?: string; executor?: string; command: string; model: string }): Billing {
  const model = run.model.toLowerCase();
  const commanded = modelIn(run.command).toLowerCase();
  const provider = providerOf({ ...run, model, commanded });
  const paid = provider === "openrouter" ? !isFree(commanded === "" ? model : commanded) : PAID.has(provider);
  return { provider, billing_provider: provider, is_paid_provider: paid };
}

function providerOf(run: { worker?: string; executor?: string; command: string; model: string; commanded: string }) {
  const { worker = "", model, commanded } = run;
  if (worker === "openai-codex" || worker.startsWith("openai-codex:")) return "openai-codex";
  if (commanded.includes("openrouter") || model.includes("openrouter")) return "openrouter";
  if (isOpenAi(commanded)) return commanded.includes("codex") ? "openai-codex" : "openai";
  if (model.includes("codex")) return "openai-codex";
  if (isOpenAi(model)) return "openai";
  if (run.command.startsWith("codex ")) return "openai-codex";
  const executor = run.executor ?? "";
  if (executor === "openclaw" || executor === "cursor") return executor;
  if (executor === "claude" || executor === "aider") return "claude";
  return "unknown";
}

function isOpenAi(model: string): boolean {
  return model.startsWith("openai/") || /^(?:gpt|o1|o3|o4)/.test(model);
}

function isFree(model: string): boolean {
  return model.includes("openrouter/free") || model.endsWith("/free");
}

function modelIn(command: string): string {
  return /--model(?:\s+|=)(\S+)/.exec(command)?.[1] ?? "";
}
