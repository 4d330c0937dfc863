import { tmpdir } from "node:os";
import { join } from "node:path";

/** Node keeps there what it has compiled, by content: hosts, commands and workers are started hundreds of times in a run. */
export const COMPILED = process.env["NODE_COMPILE_CACHE"] ?? join(tmpdir(), "coherence-compiled");
