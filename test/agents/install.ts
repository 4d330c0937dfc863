import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** The version that core/work/provider/cli/codex.ts was written against. */
const CODEX = "0.169.0";

/** Where tools are kept between runs: under COHERENCE_HOME, else under the system's place for state. */
export function toolsFolder(): string {
  const { COHERENCE_HOME, XDG_STATE_HOME } = process.env;
  const state =
    process.platform === "darwin"
      ? join(homedir(), "Library", "Application Support")
      : (XDG_STATE_HOME ?? join(homedir(), ".local", "state"));
  return join(COHERENCE_HOME ?? join(state, "coherence"), "tools");
}

/** Installs codex, pinned, when it is not there yet; returns the path of its program. Takes seconds to minutes the first time (400 MB). */
export async function codexBinary(): Promise<string> {
  const folder = join(toolsFolder(), `codex-${CODEX}`);
  const binary = join(folder, "node_modules", ".bin", "codex");
  if (await answers(binary)) return binary;
  await mkdir(folder, { recursive: true });
  await exec("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", `@openai/codex@${CODEX}`], {
    timeout: 590_000,
  });
  if (await answers(binary)) return binary;
  throw new Error(`${binary} does not answer --version with ${CODEX}`);
}

async function answers(binary: string): Promise<boolean> {
  try {
    return (await exec(binary, ["--version"], { timeout: 20_000 })).stdout.includes(CODEX);
  } catch {
    return false;
  }
}
