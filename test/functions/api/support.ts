import { expect } from "vitest";
import type { Config } from "../../../core/ground/config.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import { createApp, type AppOptions } from "../../../functions/api/app.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";

/** Where the app under test believes to be. */
export const ORIGIN = "http://127.0.0.1:8000";

/** An id that is well formed and nobody's. */
export const NOBODY = "task_00000000deadbeef";

/** Ids that are none, as they stand in a URL. */
export const BAD_IDS = ["..%2F..%2Fetc", "%00", "task_%00", "task_XYZ", "x".repeat(10_000), "%ff", "%2e%2e", "T%23x"];

export type Answer = { status: number; headers: Headers; text: string; body: Record<string, unknown> };

export type Api = {
  deps: TestDeps;
  /** Sends JSON (a string goes as it is), returns what came back; fails unless that is JSON with a request id. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Creates a task and returns its id. */
  create(more?: Record<string, unknown>): Promise<string>;
  /** Every item of a task's partition, to compare before and after. */
  items(id: string): Promise<Store.Item[]>;
};

/** The app on a table of its own. */
export async function api(
  options: Partial<AppOptions> & { config?: Partial<Config>; on?: TestDeps } = {},
): Promise<Api> {
  const { config, on, ...rest } = options;
  const made = on ?? (await testDeps());
  const deps: TestDeps = { ...made, config: { ...made.config, ...config } };
  const app = createApp({ deps, authenticate: () => ({ kind: "operator" }), startedAt: 0, ...rest });
  const call: Api["call"] = async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    const response = await app.request(`${ORIGIN}${path}`, { method, headers: { ...type, ...headers }, ...sent });
    const text = await response.text();
    expect(response.headers.get("x-request-id"), `${method} ${path}`).toMatch(/^\S+$/);
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as Answer["body"] };
  };
  return {
    deps,
    call,
    async create(more = {}) {
      const made = await call("POST", "/api/agent/tasks", { direction: "do it", task_type: "impl", ...more });
      expect(made.status, made.text).toBe(201);
      return made.body.id as string;
    },
    items: (id) => Store.queryAll(deps.store, { pk: Keys.taskPartition(id) }),
  };
}

/** The types of a 422's details by the last step of their loc. */
export function typesByField(answer: Answer): Record<string, string> {
  const details = answer.body.detail as { type: string; loc: (string | number)[]; msg: string }[];
  for (const detail of details)
    expect(detail).toMatchObject({ msg: expect.any(String) as string, type: expect.any(String) as string });
  return Object.fromEntries(details.map(({ type, loc }) => [String(loc.at(-1)), type]));
}
