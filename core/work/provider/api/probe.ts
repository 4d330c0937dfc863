import type { Model, Readiness } from "../port.ts";
import { listedIn, serverAnswers } from "../server.ts";
import { firstSet, isHttpUrl } from "../settings.ts";
import { baseUrlOf } from "./model.ts";
import type { ApiRow, Protocol } from "./row.ts";
import type { ApiDeps } from "./run.ts";

/**
 * Whether a model server can be worked with: its key is set and the server takes it; one that asks for no key has to have the
 * model. Never throws; costs no tokens.
 */
export async function probe(
  deps: ApiDeps,
  row: ApiRow,
  models: readonly Model[],
  signal?: AbortSignal,
): Promise<Readiness> {
  const credential = firstSet(deps.settings, row.credentials);
  if (!credential && row.credentials.length > 0) {
    const names = row.credentials.join(" or ");
    return { ready: false, detail: `${names} is not set`, remedy: `Set ${names} to a key for ${row.name}.` };
  }
  const at = baseUrlOf(row, deps.settings);
  if ("missing" in at)
    return { ready: false, detail: `${at.missing} is not set`, remedy: `Set ${at.missing} for ${row.name}.` };
  const { setting } = row.baseUrl;
  if (!isHttpUrl(at.url))
    return { ready: false, detail: `${setting} is not an http URL`, remedy: `Set ${setting} to a model server's URL.` };

  const key = credential?.value ?? "";
  const question = QUESTIONS[row.protocol];
  if (question === null)
    return {
      ready: true,
      detail: `${credential?.name ?? "no key"} is set; ${at.url} says at the first run whether it takes it`,
    };
  const check = {
    baseUrl: at.url,
    path: question.path,
    headers: credential ? question.headers(key) : {},
    credential: credential?.name ?? null,
  };
  const { readiness, body } = await serverAnswers(deps.clock, check, signal);
  const listed = listedIn(body);
  if (credential) return readiness.ready && listed.length > 0 ? { ...readiness, listed } : readiness;
  if (readiness.ready) return hasModels(row, models, at.url, listed);
  return { ...readiness, remedy: `Start ${row.name} there, or set ${setting} to where it runs.` };
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** What shows whether a server takes a key. Null: Bedrock's runtime has nothing to ask that costs no tokens. */
const QUESTIONS: Readonly<Record<Protocol, { path: string; headers: (key: string) => Record<string, string> } | null>> =
  {
    messages: { path: "/models", headers: (key) => ({ "x-api-key": key, "anthropic-version": "2023-06-01" }) },
    responses: { path: "/models", headers: bearer },
    chat: { path: "/models", headers: bearer },
    // Its list of models is public and says nothing of a key.
    openrouter: { path: "/key", headers: bearer },
    bedrock: null,
  };

/** Nobody set a key to ask for this server, so it has to have what it is asked for. */
function hasModels(row: ApiRow, models: readonly Model[], url: string, there: readonly string[]): Readiness {
  const missing = models.find(({ name }) => !there.includes(name));
  if (!missing) {
    const detail = `${url} has ${models.map((model) => model.name).join(", ")}`;
    return { ready: true, detail, listed: there };
  }
  const choice = there.length === 0 ? "" : ` (it has ${there.slice(0, 10).join(", ")})`;
  const instead = row.modelSetting === null ? "" : `, or name another in ${row.modelSetting}${choice}`;
  return {
    ready: false,
    detail: `${url} has no model ${missing.name}`,
    remedy: `Load ${missing.name} there${instead}.`,
  };
}
