import type { Client, Shapes } from "../../../client/index.ts";
import { open, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { show } from "./command.ts";

/** Does something to a task and says what it is then. */
export async function act(
  request: (api: Client) => Promise<{ data?: Shapes["Task"] }>,
  options: Common,
): Promise<void> {
  const answer = await open(options).api.ask(request).reads("id", "status");
  show(answer, options.json, (task) => `${oneLine(task.id)} is now ${oneLine(task.status)}`);
}
