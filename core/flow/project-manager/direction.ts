import type { ItemRow } from "../../work/backlog/index.ts";
import type { Create, ItemRef } from "../../work/task/index.ts";

/** The task that an item's present step needs. The item's text is the direction; what the phase asks for is the prompt's matter. */
export function taskFor(item: ItemRow): { input: Create; ref: ItemRef } {
  const seq = item.seq + 1;
  return {
    input: {
      direction: item.text,
      task_type: item.phase,
      context: {
        backlog: item.backlog,
        item_id: item.id,
        spec_path: item.spec_path,
        phase: item.phase,
        round: item.round,
      },
    },
    ref: { backlog: item.backlog, item: item.id, seq, phase: item.phase, round: item.round },
  };
}
