import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Events } from "./events/index.ts";
import type { Id } from "./id.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/index.ts";
import type { Workflow } from "./workflow/index.ts";

/** What an effectful verb takes first. Compose makes it; no module holds a connection of its own. */
export type Deps = {
  store: Store;
  clock: Clock;
  id: Id;
  log: Log;
  config: Config;
  events: Events;
  workflow: Workflow;
};
