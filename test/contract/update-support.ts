import { beforeAll, expect } from "vitest";
import { expectShape, Task as TaskShape } from "./shapes.ts";
import { contract, type Body, type Contract } from "./support.ts";

/** Contract 1.1.2, 2.4, 2.5 and DESIGN 4: what a PATCH changes, who may make it, what follows from it. */

export let app: Contract;

/** The app that the tests of a file share. */
export function withApp(): void {
  beforeAll(async () => {
    app = await contract();
  });
}
export const ok = async (id: string, body: unknown, on = app) => {
  const answer = await on.patch(id, body);
  expect(answer.status, answer.text).toBe(200);
  expectShape(TaskShape, answer.body);
  return answer.body as Body & { context: Body };
};
