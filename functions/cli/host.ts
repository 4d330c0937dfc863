import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod";
import type { Config } from "../../core/ground/config.ts";
import { homeFor } from "../local/home.ts";

/** What a host writes into its home while it runs. */
const HostFile = z.object({ url: z.string(), backlog: z.string().nullish() });

/** Where a command sends its requests, and the backlog it means when none is named. */
export type Target = { base: string; backlog: string | undefined };

/**
 * The host that is meant: `given` (`--api`), AGENT_API_BASE, the one whose home belongs to `directory` or the nearest folder
 * above it, else the default address. Whether it runs is seen when it is asked.
 */
export function find(given: string | undefined, directory: string, config: Config): Target {
  const named = given ?? config.environment.AGENT_API_BASE?.trim();
  if (named) return { base: named, backlog: undefined };
  for (let folder = directory; ; folder = dirname(folder)) {
    const home = homeOf(folder, config);
    const running = home === undefined ? undefined : read(join(home, "host.json"));
    if (running) return { base: running.url, backlog: running.backlog ?? undefined };
    if (dirname(folder) === folder) return { base: `http://127.0.0.1:${config.port || 8000}`, backlog: undefined };
  }
}

/** A folder that can have no home (it would lie inside) has no host. */
function homeOf(folder: string, config: Config): string | undefined {
  try {
    return homeFor(folder, config);
  } catch {
    return undefined;
  }
}

/** A file that is missing or half written is no host. */
function read(path: string): z.infer<typeof HostFile> | undefined {
  try {
    return HostFile.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
