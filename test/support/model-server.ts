import { COST } from "./models/reply.ts";
import * as Responses from "./models/responses.ts";
import type { ModelServer, Script } from "./models/server.ts";

/** The scripted model server that speaks OpenAI's Responses API, as codex wants it. The other protocols are in `models/`. */
export type { Reply } from "./models/reply.ts";
export type { ModelRequest, ModelServer } from "./models/server.ts";

/** What every complete answer costs, so that tests can add up usage. */
export const USAGE = { input_tokens: COST.input, cached_tokens: COST.cached, output_tokens: COST.output };

/** Starts the server; `key` is the token that a look at the models asks for, others get 401. */
export function start(script: Script, key = "test-key"): Promise<ModelServer> {
  return Responses.start(script, { key });
}
