import { beforeAll, expect, it } from "vitest";
import { contract, type Contract } from "./support.ts";

/** The contract's list "Decided against it": what answers, and never does anything. */

let app: Contract;
beforeAll(async () => {
  app = await contract();
});

it("the gate is a constant", async () => {
  const { status, body } = await app.get("/api/gates/public-deploy-contract");
  expect([status, body]).toEqual([200, { result: "public_contract_passed" }]);
});

it.each([
  ["POST", "/api/runtime/exerciser/run?cycles=3", { calls: [], summary: { total_calls: 0 }, config: { cycles: 3 } }],
  [
    "GET",
    "/api/runtime/usage/verification?public_api_base=http://169.254.169.254/",
    { pass_contract: true, error: null },
  ],
  ["GET", "/api/automation/usage/subscription-estimator", { plans: [], detected_subscriptions: 0 }],
  ["GET", "/api/automation/usage/external-tools?provider=x", { count: 0, events: [] }],
] as const)("%s %s has nothing to say, in the contract's shape", async (method, path, expected) => {
  const { status, body } = await (method === "GET" ? app.get(path) : app.post(path));
  expect(status).toBe(200);
  expect(body).toMatchObject(expected);
});

it.each([
  ["POST", "/api/runtime/exerciser/run?cycles=0"],
  ["POST", "/api/runtime/exerciser/run?cycles=201"],
  ["GET", "/api/runtime/usage/verification?runtime_window_seconds=59"],
  ["GET", "/api/automation/usage/external-tools?limit=5001"],
] as const)("%s %s is out of its bounds", async (method, path) => {
  expect((await (method === "GET" ? app.get(path) : app.post(path))).status).toBe(422);
});
