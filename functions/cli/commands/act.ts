import { Task } from "../shapes.ts";
import { open, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { show, taskPath } from "./command.ts";

/** Does something to a task and says what it is then. */
export async function act(
  id: string,
  verb: "cancel" | "retry" | "release" | "decide",
  body: Record<string, unknown>,
  options: Common,
): Promise<void> {
  const answer = await open(options).api.post(taskPath(id, `/${verb}`), body, Task);
  show(answer, options.json, (task) => `${oneLine(task.id)} is now ${oneLine(task.status)}`);
}
