import { mkdir } from "node:fs/promises";
import * as Clock from "../../ground/clock.ts";
import { messageOf } from "../../ground/errors.ts";
import * as Process from "../../ground/process/index.ts";
import { oneLine } from "./classify.ts";
import { baseUrlOf, binaryOf, type CliDeps } from "./cli/run.ts";
import type { CliRow } from "./cli/row.ts";
import type { Readiness } from "./port.ts";
import { ANSWER_WITHIN_MS, serverAnswers } from "./server.ts";
import { firstSet, isHttpUrl } from "./settings.ts";

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
  if (!isHttpUrl(baseUrl))
    return { ready: false, detail: `${setting} is not an http URL`, remedy: `Set ${setting} to a model server's URL.` };
  const headers = { authorization: `Bearer ${credential.value}` };
  const check = { baseUrl, path: "/models", headers, credential: credential.name };
  const { readiness } = await serverAnswers(deps.clock, check, signal);
  return readiness.ready ? { ready: true, detail: `${version.detail}; ${readiness.detail}` } : readiness;
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
