import { beforeAll, expect } from "vitest";
import { contract, type Body, type Contract } from "./support.ts";

/** Contract 1.1 without PATCH: creating, listing, reading. 2.1, 2.2.1, 2.3. */

export let app: Contract;

/** The app that the tests of a file share. */
export function withApp(): void {
  beforeAll(async () => {
    app = await contract();
  });
}
export const post = async (body: Body) => {
  const answer = await app.post("/api/agent/tasks", { direction: "do it", task_type: "impl", ...body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as Body & { context: Body };
};
