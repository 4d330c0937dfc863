import { mkdir } from "node:fs/promises";
import * as Clock from "../../ground/clock.ts";
import { messageOf } from "../../ground/errors.ts";
import * as Process from "../../ground/process/index.ts";
import { oneLine } from "./classify.ts";
import { baseUrlOf, binaryOf, type CliDeps } from "./cli/run.ts";
import type { CliRow } from "./cli/row.ts";
import type { Readiness } from "./port.ts";
import { firstSet } from "./settings.ts";

/** Ms that the program and the model server each have to answer. */
const ANSWER_WITHIN_MS = 5000;

/**
 * Whether a CLI agent can work: its program answers `--version`, a key is set, and the model server takes the key. A probe
 * answered, not a variable set. Never throws; costs no tokens.
 */
export async function probeCli(deps: CliDeps, row: CliRow, signal?: AbortSignal): Promise<Readiness> {
  const version = await programAnswers(deps, row, signal);
  if (!version.ready) return version;
  const credential = firstSet(deps.settings, row.credentials);
  if (!credential) {
    const names = row.credentials.join(" or ");
    return { ready: false, detail: `${names} is not set`, remedy: `Set ${names} to a key for ${row.name}.` };
  }
  const baseUrl = baseUrlOf(row, deps.settings);
  const { setting } = row.baseUrl;
  // Not shown: what is no URL may be a secret in the wrong variable.
  if (!/^https?:\/\//i.test(baseUrl) || !URL.canParse(baseUrl))
    return { ready: false, detail: `${setting} is not an http URL`, remedy: `Set ${setting} to a model server's URL.` };
  const server = await serverAnswers(deps.clock, baseUrl, credential, signal);
  return server.ready ? { ready: true, detail: `${version.detail}; ${server.detail}` } : server;
}

async function programAnswers(deps: CliDeps, row: CliRow, signal?: AbortSignal): Promise<Readiness> {
  const file = binaryOf(row, deps.settings);
  const remedy = `Install ${row.name} (${row.binary.install}) or set ${row.binary.setting} to its path.`;
  const deadline = Clock.deadline(deps.clock, ANSWER_WITHIN_MS, signal);
  try {
    await mkdir(deps.home, { recursive: true });
    const exit = await deps.run(
      { file, args: ["--version"], cwd: deps.home, env: Process.baseEnv(deps.hostEnv), graceMs: 500 },
      deadline.signal,
    );
    if (exit.aborted) return { ready: false, detail: `${file} --version does not answer`, remedy, transient: true };
    if (exit.code !== 0)
      return { ready: false, detail: `${file} --version ended with ${exit.code ?? exit.signal}`, remedy };
    return { ready: true, detail: oneLine(exit.stdout) };
  } catch (thrown) {
    return { ready: false, detail: oneLine(messageOf(thrown)), remedy };
  } finally {
    deadline.clear();
  }
}

async function serverAnswers(
  clock: Clock.Clock,
  baseUrl: string,
  credential: { name: string; value: string },
  signal?: AbortSignal,
): Promise<Readiness> {
  const deadline = Clock.deadline(clock, ANSWER_WITHIN_MS, signal);
  try {
    const answer = await fetch(`${baseUrl}/models`, {
      headers: { authorization: `Bearer ${credential.value}` },
      signal: deadline.signal,
    });
    await answer.body?.cancel();
    if (answer.ok) return { ready: true, detail: `${baseUrl} takes ${credential.name}` };
    return {
      ready: false,
      detail: `${baseUrl}/models answered ${answer.status}`,
      remedy: remedyFor(answer.status, credential.name, baseUrl),
      ...(isTransient(answer.status) ? { transient: true } : {}),
    };
  } catch {
    // fetch's own words ("fetch failed") help nobody.
    const why = deadline.signal.aborted ? `did not answer within ${ANSWER_WITHIN_MS / 1000} s` : "could not be reached";
    return {
      ready: false,
      detail: `${baseUrl} ${why}`,
      remedy: `Check the network and that ${baseUrl} is the right model server.`,
      transient: true,
    };
  } finally {
    deadline.clear();
  }
}

function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function remedyFor(status: number, name: string, baseUrl: string): string {
  if (status === 401) return `Set ${name} to a valid key for ${baseUrl}.`;
  if (status === 403) return `Give the key in ${name} permission to list models, or use an unrestricted one.`;
  if (status === 404) return `Check that ${baseUrl} is the model server's base URL (it usually ends in /v1).`;
  return `Nothing: ${baseUrl} is asked again later.`;
}
