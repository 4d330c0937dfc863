import { Failure } from "../failure.ts";
import type { Register } from "./command.ts";

/** `run`: the host, with the options of `npm start`; `argv` are the words behind it, untouched. */
export function run(argv: readonly string[]): Register {
  return (program) => {
    program
      .command("run")
      .description("start the host, with the same options as npm start")
      .argument("[options...]", "see: coherence run --help")
      .allowUnknownOption()
      .helpOption(false)
      .action(async () => {
        const host = await load();
        process.exitCode = await host.main(argv);
      });
  };
}

/** The host is a program of its own: it is loaded by this command alone, and is not part of the bundled file. */
async function load() {
  try {
    return await import("../../local/main.ts");
  } catch (error) {
    // Only the host itself may be missing; a module that the host misses is a fault to be seen. The second: an older Node.
    const { url, code } = error as { url?: unknown; code?: unknown };
    const missing = typeof url === "string" && url.endsWith("/local/main.ts");
    if (!missing && code !== "ERR_UNKNOWN_FILE_EXTENSION") throw error;
    throw new Failure("usage", "The host is not beside this command", "Start it in its checkout: npm start");
  }
}
