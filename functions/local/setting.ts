import type { Clock } from "../../core/ground/clock.ts";
import type { Config } from "../../core/ground/config.ts";
import type { Id } from "../../core/ground/id.ts";
import type { Log } from "../../core/ground/log.ts";
import type { At } from "../../core/flow/worker/index.ts";
import type { Local } from "../compose/local.ts";
import type { ConfigFiles } from "./config-files.ts";
import type { HostOptions } from "./options.ts";
import type { Probed } from "./providers.ts";
import type { Target } from "./target.ts";

/** What a host is started with. */
export type HostSetting = {
  options: HostOptions;
  /** Where the host was started. */
  directory: string;
  config: Config;
  clock: Clock;
  id: Id;
  log: Log;
  say: (line: string) => void;
  signal: AbortSignal;
  at?: At;
};

/** A host that is up. */
export type Host = Local & {
  home: string;
  url: string;
  target: Target;
  /** What they answered at the start. */
  probed: Probed[];
  configFiles: ConfigFiles;
  /** Why no work is started, though the host serves; undefined when it works. */
  idle: string | undefined;
  /** A provider became ready and the base is being checked. */
  beginning: boolean;
  /** Rejects when the host cannot go on: its store ended by itself. Never resolves. */
  broken: Promise<never>;
  /** Called after every event, for whoever shows progress. */
  onChange(listener: () => void): void;
  /** Stops everything in good order and gives back what it held. */
  stop(): Promise<void>;
};
