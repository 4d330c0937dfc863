import { beforeAll, expect, it } from "vitest";
import { api, NOBODY, typesByField, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api({
    config: { execute: { token: undefined, allowUnauthenticated: true } },
    cleanup: async () => ({ worktrees: [], branches: [], logs: 0 }),
  });
});
const keep = (keep_days: unknown) => app.call("POST", "/api/agent/cleanup", { keep_days });
const cost = (value: string) =>
  app.call("POST", `/api/agent/tasks/${NOBODY}/execute?max_cost_usd=${encodeURIComponent(value)}`);

it.each([0.5, "0.5", "1e1", " 7 ", ".5", "5.", true])("a number that need not be whole may be %j", async (value) => {
  expect((await keep(value)).status).toBe(200);
});

it.each([
  ["ten", "float_parsing"],
  ["", "float_parsing"],
  ["0x10", "float_parsing"],
  ["1e", "float_parsing"],
  [[], "float_type"],
  [[5], "float_type"],
  [-0.1, "greater_than_equal"],
  ["3650.5", "less_than_equal"],
])("not %j (%s)", async (value, type) => {
  const answer = await keep(value);
  expect(answer.status).toBe(422);
  expect(typesByField(answer)).toEqual({ keep_days: type });
});

it("in a query it is as JavaScript writes it", async () => {
  // 404: it was read, and nobody has the id.
  for (const value of ["0", String(0.0000001), String(1e21)]) expect((await cost(value)).status).toBe(404);
  for (const value of ["", "NaN", "Infinity", "1,5"])
    expect(typesByField(await cost(value))).toEqual({ max_cost_usd: "float_parsing" });
});
