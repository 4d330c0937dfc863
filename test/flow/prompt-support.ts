import { TaskType } from "../../core/work/task/index.ts";
import * as Prompt from "../../core/flow/prompt/index.ts";

export const TYPES = TaskType.options;

export function input(type: TaskType, more: Partial<Prompt.Input> = {}): Prompt.Input {
  return { task: { id: "task_0123456789abcdef", type, direction: "Export the ledger as CSV.", attempt: 1 }, ...more };
}
