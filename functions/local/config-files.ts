import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../core/ground/clock.ts";
import { messageOf } from "../../core/ground/errors.ts";
import type { Log } from "../../core/ground/log.ts";
import * as Process from "../../core/ground/process/index.ts";
import * as Provider from "../../core/work/provider/index.ts";
import { fileOfHead } from "../../core/work/workspace/index.ts";
import { CONFIG_FILE, ofDisk, ofHead, ofText, type Look } from "./config-text.ts";
import { stampOf } from "./watch.ts";

/** The user's files about providers, and the registry that follows them. */
export type ConfigFiles = {
  /** One registry for the host's life; what stands behind it is exchanged as a whole. */
  registry: Provider.Registry;
  /** How each file stands now. */
  states(): readonly Provider.ConfigState[];
  /**
   * Looks at the files anew. Where what they say of providers has changed, `before` is told which, and then the registry is
   * exchanged; those providers.
   */
  look(before: (names: readonly string[]) => Promise<void>): Promise<string[]>;
  /** Changes when one of the files may have. */
  stamp(): string;
};

export type ConfigOptions = {
  home: string;
  /** The user's checkout, or a folder that is none. */
  repo: string;
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  say: (line: string) => void;
  make: (changes: readonly Provider.Changes[]) => Provider.Registry;
};

/** Reads the files of the home and of the user's HEAD. A broken one is said and never stops the host. */
export async function openConfig(options: ConfigOptions): Promise<ConfigFiles> {
  const { home, repo, clock, log, say, make } = options;
  const env = Process.baseEnv(options.env);
  const ofHome = join(home, CONFIG_FILE);
  const names = { home: ofHome, repository: `${CONFIG_FILE} of ${repo} (HEAD)` };
  let gitDir: string | null = null;

  const fromHead = async (): Promise<Look | null> => {
    try {
      const found = await fileOfHead(repo, env, CONFIG_FILE, Provider.MAX_CONFIG_BYTES);
      ({ gitDir } = found);
      return ofHead(found.file);
    } catch (error) {
      // Git is what fails here, not the file: as long as it does, nothing is known of the file, and nothing changes.
      log.warn({ err: error }, `${names.repository} could not be read`);
      return null;
    }
  };
  const stands = async (which: Provider.Which, look: Look | null, before: Provider.ConfigState | undefined) => {
    if (look === null && before) return before;
    const { seen, text } = look ?? { seen: { kind: "absent" as const } };
    const kept = before || look === null ? undefined : lastGood(home, which);
    const state = Provider.nextState({ which, file: names[which] }, before, seen, kept, clock.now());
    try {
      if (look !== null) keep(home, which, seen.kind, text);
    } catch (error) {
      log.warn({ error: messageOf(error) }, `the last good ${names[which]} could not be kept`);
    }
    return state;
  };
  /** Says what is news, once it is so. */
  const tell = (state: Provider.ConfigState, before: Provider.ConfigState | undefined) => {
    if (before?.since === state.since && before.state === state.state) return;
    for (const line of wordsOf(state, before)) say(line);
    if (state.state === "refused") log.error({ file: state.file, problem: state.problem }, "a config file is refused");
  };
  const look = async (before?: { home: Provider.ConfigState; repository: Provider.ConfigState }) => ({
    home: await stands("home", ofDisk(ofHome, "home"), before?.home),
    repository: await stands("repository", await fromHead(), before?.repository),
  });

  let now = await look();
  tell(now.home, undefined);
  tell(now.repository, undefined);
  const changes = () => [now.home, now.repository].map(({ file, overrides }) => ({ file, overrides }));
  const registry = Provider.switching(make(changes()));
  return {
    registry,
    states: () => [now.home, now.repository],
    async look(before) {
      const next = await look(now);
      const said = ({ home, repository }: typeof now, name: string) =>
        JSON.stringify([home.overrides[name], repository.overrides[name]]);
      const changed = registry
        .all()
        .map(({ name }) => name)
        .filter((name) => said(now, name) !== said(next, name));
      if (changed.length > 0) await before(changed);
      const was = now;
      now = next;
      if (changed.length > 0) registry.use(make(changes()));
      tell(now.home, was.home);
      tell(now.repository, was.repository);
      return changed;
    },
    stamp: () => [ofHome, ...movesOf(gitDir)].map(stampOf).join("|"),
  };
}

/** What of a repository changes when HEAD moves: its own file with each checkout, its log with each commit. */
function movesOf(gitDir: string | null): string[] {
  return gitDir === null ? [] : ["HEAD", "logs/HEAD", "reftable/tables.list"].map((name) => join(gitDir, name));
}

function lastGoodFile(home: string, which: Provider.Which): string {
  return join(home, "config", `last-good-${which}.json`);
}

/** What a host before this one last took; undefined where there is nothing, or nothing that is good today. */
function lastGood(home: string, which: Provider.Which): Provider.ConfigState["overrides"] | undefined {
  try {
    const { seen } = ofText(readFileSync(lastGoodFile(home, which), "utf8"), which);
    return seen.kind === "good" ? seen.overrides : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a good text for the next start, and forgets it with its file; written beside its place, so that a kill leaves no half. */
function keep(home: string, which: Provider.Which, kind: Provider.Seen["kind"], text: string | undefined): void {
  const file = lastGoodFile(home, which);
  if (kind === "absent") rmSync(file, { force: true });
  if (kind !== "good" || text === undefined) return;
  mkdirSync(join(home, "config"), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function wordsOf(state: Provider.ConfigState, before: Provider.ConfigState | undefined): string[] {
  switch (state.state) {
    case "absent":
      return before && before.state !== "absent"
        ? [`config    ${state.file} is gone: nothing of it counts any more`]
        : [];
    case "used":
      return [`config    ${state.file} is used`];
    case "refused":
      return [
        `config    REFUSED ${state.file}: ${state.problem}`,
        `          ${state.remedy ?? ""} Until then ${
          state.using === "last_good" ? "what it said before goes on" : "the host goes on without it"
        }.`,
      ];
  }
}
