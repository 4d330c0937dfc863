import { access, constants, mkdir } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import * as Clock from "../../ground/clock.ts";
import { messageOf } from "../../ground/errors.ts";
import * as Process from "../../ground/process/index.ts";
import { oneLine } from "./classify.ts";
import { baseUrlOf, binaryOf, type CliDeps } from "./cli/run.ts";
import type { CliRow } from "./cli/row.ts";
import type { Readiness } from "./port.ts";
import { ANSWER_WITHIN_MS, listedIn, serverAnswers } from "./server.ts";
import { firstSet, isHttpUrl } from "./settings.ts";

/**
 * Whether a CLI agent can work: its program answers `--version`, a key is set, and the model server takes the key; what a row
 * has none of is not asked. A probe answered, not a variable set. Never throws; costs no tokens.
 */
export async function probeCli(deps: CliDeps, row: CliRow, signal?: AbortSignal): Promise<Readiness> {
  const { setting, install } = row.binary;
  const file = binaryOf(row, deps.settings);
  if (file === null)
    return { ready: false, detail: `${setting} is not set`, remedy: `Set ${setting} to the path of a program.` };
  const remedy = `Install ${row.name} (${install}) or set ${setting} to its path.`;
  const program = row.binary.tellsVersion
    ? await programAnswers(deps, row, { file, remedy }, signal)
    : await programIsThere(deps, { file, remedy });
  if (!program.ready) return program;
  const misset = row.misset?.(deps.settings);
  if (misset) return misset;

  const credential = firstSet(deps.settings, row.credentials);
  if (!credential) {
    if (row.credentials.length === 0) return program;
    const names = row.credentials.join(" or ");
    return { ready: false, detail: `${names} is not set`, remedy: `Set ${names} to a key for ${row.name}.` };
  }
  const { server } = row;
  if (server === null)
    return {
      ready: true,
      detail: `${program.detail}; ${credential.name} is set, the first run shows whether it is taken`,
    };
  const baseUrl = baseUrlOf(server, deps.settings);
  if (!isHttpUrl(baseUrl))
    return {
      ready: false,
      detail: `${server.setting} is not an http URL`,
      remedy: `Set ${server.setting} to a model server's URL.`,
    };
  const check = { baseUrl, ...server.question(credential.value, baseUrl), credential: credential.name };
  const { readiness, body } = await serverAnswers(deps.clock, check, signal);
  if (!readiness.ready) return readiness;
  const listed = listedIn(body);
  return {
    ready: true,
    detail: `${program.detail}; ${readiness.detail}`,
    ...(listed.length > 0 ? { listed } : {}),
  };
}

type Program = { file: string; remedy: string };

async function programAnswers(
  deps: CliDeps,
  row: CliRow,
  { file, remedy }: Program,
  signal?: AbortSignal,
): Promise<Readiness> {
  const deadline = Clock.deadline(deps.clock, ANSWER_WITHIN_MS, signal);
  // Some write into their home even to say their version; it is none of the user's.
  const home = join(deps.home, "agents", `${row.name}-probe`);
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    const env = Process.baseEnv(deps.hostEnv, row.atHome(home));
    const exit = await deps.run({ file, args: ["--version"], cwd: home, env, graceMs: 500 }, deadline.signal);
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

/** Looks for a program as the system will, without starting it. */
async function programIsThere(deps: CliDeps, { file, remedy }: Program): Promise<Readiness> {
  const folders = file.includes("/") ? [deps.home] : (deps.hostEnv["PATH"] ?? "").split(delimiter).filter(Boolean);
  for (const folder of folders) {
    const path = resolve(folder, file);
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return { ready: true, detail: `${path} is there` };
  }
  return { ready: false, detail: `There is no program ${file}`, remedy };
}
