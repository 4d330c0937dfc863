import * as Config from "../../core/ground/config.ts";
import * as Id from "../../core/ground/id.ts";
import * as Log from "../../core/ground/log.ts";
import { startHost } from "../../functions/local/host.ts";
import { parseOptions } from "../../functions/local/options.ts";
import { fromEnvironment } from "./scaled-clock.ts";

/** The real host of all doors with the simulated provider and a fast clock, until it is ended. */
const options = parseOptions(["--provider", "simulated"]);
if (options === "help") throw new Error("no help was asked for");
const stop = new AbortController();
const config = Config.read();
const host = await startHost({
  options,
  directory: process.cwd(),
  config,
  clock: fromEnvironment(),
  id: Id.system(),
  log: Log.create(config.logLevel === "silent" ? "error" : config.logLevel),
  say: () => {},
  signal: stop.signal,
});
console.log(`up ${host.url}`);
process.once("SIGTERM", () => void host.stop().then(() => process.exit(0)));
