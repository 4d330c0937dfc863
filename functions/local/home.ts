import { accessSync, constants, existsSync, mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import type { Config } from "../../core/ground/config.ts";
import { fail, messageOf } from "../../core/ground/errors.ts";
import { sha256 } from "../../core/ground/id.ts";

/**
 * Where everything of a host lies: COHERENCE_HOME, else `$XDG_STATE_HOME/coherence/<name>-<hash of the path>`, so that two
 * checkouts never share one. Throws `config.invalid` for a home inside the checkout.
 */
export function homeFor(directory: string, config: Pick<Config, "home" | "stateHome" | "userHome">): string {
  const dir = existsSync(directory) ? realpathSync(directory) : resolve(directory);
  const state = config.stateHome ?? join(config.userHome ?? homedir(), ".local", "state");
  const name = basename(dir).replace(/[^A-Za-z0-9._-]+/g, "-") || "root";
  const home = resolve(config.home ?? join(state, "coherence", `${name}-${sha256(dir).slice(0, 8)}`));
  const real = settled(home);
  if (real === dir || real.startsWith(dir + sep))
    throw fail("config.invalid", `The home ${home} is inside the checkout ${dir}`, {
      remedy: "Set COHERENCE_HOME to a folder outside of it.",
    });
  return home;
}

/** Makes the home and returns it; throws `config.invalid` where it cannot be. */
export function makeHome(home: string): string {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    accessSync(home, constants.W_OK);
    return home;
  } catch (error) {
    throw fail("config.invalid", `The home ${home} cannot be used: ${messageOf(error)}`, {
      remedy: "Set COHERENCE_HOME to a folder that you may write to.",
    });
  }
}

/** A path with its links followed, though its end may not be there yet. */
function settled(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  return dirname(path) === path ? path : join(settled(dirname(path)), basename(path));
}
