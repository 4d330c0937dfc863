import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** The versions that the rows of core/work/provider/cli were written against; 100–400 MB each, so they are no dependencies. */
const PACKAGES = {
  codex: { name: "@openai/codex", version: "0.169.0" },
  claude: { name: "@anthropic-ai/claude-code", version: "2.1.332" },
  opencode: { name: "opencode-ai", version: "1.18.33" },
  gemini: { name: "@google/gemini-cli", version: "0.61.0" },
} as const;

/** Where tools are kept between runs: under COHERENCE_HOME, else under the system's place for state. */
export function toolsFolder(): string {
  const { COHERENCE_HOME, XDG_STATE_HOME } = process.env;
  const state =
    process.platform === "darwin"
      ? join(homedir(), "Library", "Application Support")
      : (XDG_STATE_HOME ?? join(homedir(), ".local", "state"));
  return join(COHERENCE_HOME ?? join(state, "coherence"), "tools");
}

/** Installs an agent, pinned, when it is not there yet; returns the path of its program. Takes seconds to minutes the first time. */
export async function binaryOf(agent: keyof typeof PACKAGES): Promise<string> {
  const { name, version } = PACKAGES[agent];
  const folder = join(toolsFolder(), `${agent}-${version}`);
  const binary = join(folder, "node_modules", ".bin", agent);
  // Some write into their home even to say their version.
  const env = { ...process.env, HOME: folder, CODEX_HOME: folder };
  const answers = async () => {
    try {
      return (await exec(binary, ["--version"], { timeout: 20_000, env })).stdout.includes(version);
    } catch {
      return false;
    }
  };
  if (await answers()) return binary;
  await mkdir(folder, { recursive: true });
  await exec("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", `${name}@${version}`], {
    timeout: 590_000,
  });
  if (await answers()) return binary;
  throw new Error(`${binary} does not answer --version with ${version}`);
}
