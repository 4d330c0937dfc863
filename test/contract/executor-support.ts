import { beforeAll, expect } from "vitest";
import { contract, type Body, type Contract } from "./support.ts";

/** Contract 2.2.2–4, 2.8, 3.1–3.5: which executor, model and command a posted task gets, and who is paid. */

export let app: Contract;

/** The app that the tests of a file share. */
export function withApp(): void {
  beforeAll(async () => {
    app = await contract();
  });
}

export type Made = Body & {
  model: string;
  command: string;
  context: Body & { executor_policy?: Body; route_decision: Body };
};
export type Env = Record<string, string>;
let said = 0;
/** A number that no direction has had yet. */
export const another = () => said++;

/** Posts under these settings; the direction is a new one unless it is given. */
export async function made(context: Body = {}, env: Env = {}, more: Body = {}): Promise<Made> {
  const body = { direction: `Explain number ${another()} to me`, task_type: "impl", context, ...more };
  const answer = await (await app.with(env)).post("/api/agent/tasks", body);
  expect(answer.status, answer.text).toBe(201);
  // What is stored is what was answered.
  expect((await app.task(String(answer.body.id))).context).toEqual(answer.body.context);
  return answer.body as Made;
}

export const TYPES = ["spec", "test", "impl", "review", "heal"] as const;
