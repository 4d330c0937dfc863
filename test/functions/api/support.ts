import { expect } from "vitest";
import type * as z from "zod";
import type { Config } from "../../../core/ground/config.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import { createApp, type AppOptions } from "../../../functions/api/app.ts";
import { routes } from "../../../functions/api/routes/index.ts";
import * as Shapes from "../../../functions/api/shapes.ts";
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
  /** Sends JSON (a string goes as it is), returns what came back; fails unless that is what the route's row says, with a request id. */
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
    const answer = {
      status: response.status,
      headers: response.headers,
      text,
      body: JSON.parse(text) as Answer["body"],
    };
    asDescribed(method, path, answer);
    return answer;
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

/** Fails unless an answer is what its row says, to the last field, and an error what all errors are. */
function asDescribed(method: string, path: string, { status, body, text }: Answer): void {
  const said = `${method} ${path.slice(0, 100)} ${status} ${text.slice(0, 500)}`;
  const exactly = (shape: z.ZodType) => {
    const parsed = shape.safeParse(body);
    expect(parsed.error, said).toBeUndefined();
    // Unknown fields were left out by parsing.
    expect(parsed.data, said).toEqual(body);
  };
  const { pathname } = new URL(`${ORIGIN}${path}`);
  if (status === 503 && pathname === "/api/ready") return exactly(Shapes.NotReady);
  if (status >= 400) return exactly(status === 422 ? Shapes.Invalid : Shapes.Refusal);
  const row = routes.find((one) => one.method === method && matches(one.path, pathname));
  if (!row) throw new Error(`no row: ${said}`);
  expect(status, said).toBe(row.status ?? 200);
  exactly(row.answer);
}

/** Whether a path is one of a pattern of the table. */
export function matches(pattern: string, pathname: string): boolean {
  const given = pathname.split("/");
  const steps = pattern.split("/");
  return steps.length === given.length && steps.every((step, i) => step.startsWith(":") || step === given[i]);
}

/** The types of a 422's details by the last step of their loc. */
export function typesByField(answer: Answer): Record<string, string> {
  const details = answer.body.detail as { type: string; loc: (string | number)[]; msg: string }[];
  for (const detail of details)
    expect(detail).toMatchObject({ msg: expect.any(String) as string, type: expect.any(String) as string });
  return Object.fromEntries(details.map(({ type, loc }) => [String(loc.at(-1)), type]));
}
