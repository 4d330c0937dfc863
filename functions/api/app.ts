import { Hono, type Context } from "hono";
import { routePath } from "hono/route";
import type { Deps } from "../../core/ground/deps.ts";
import type { Recorder } from "../../core/work/telemetry/index.ts";
import * as Body from "./body.ts";
import { onError } from "./errors.ts";
import { allowOrigins, hostAndOrigin, requestId, type Door, type Env } from "./guards.ts";
import { description } from "./openapi/serve.ts";
import { countRequests } from "./requests.ts";
import { authorize, type Caller, type Host, type Route } from "./route.ts";
import { routes } from "./routes/index.ts";

export type AppOptions = {
  deps: Deps;
  /** Who calls; throws `auth.missing` when nobody it knows. Not asked for public routes. */
  authenticate: (request: Request) => Caller | Promise<Caller>;
  /** When the process that serves began, ms since the epoch; default: now. */
  startedAt?: number;
  cleanup?: Host["cleanup"];
  providers?: Host["providers"];
  /** Default: loopback with the configured port. */
  door?: Door;
  /** Where answered requests are counted; absent: nowhere. Who made it flushes it. */
  recorder?: Recorder;
};

/** The agent API: every row of the route table, and its description, behind the guards; every answer has an `x-request-id`. */
export function createApp({
  deps,
  authenticate,
  startedAt,
  door,
  cleanup,
  providers,
  recorder,
}: AppOptions): Hono<Env> {
  const host: Host = {
    startedAt: startedAt ?? deps.clock.now(),
    ...(cleanup ? { cleanup } : {}),
    ...(providers ? { providers } : {}),
  };
  const { allowedOrigins } = deps.config;
  const app = new Hono<Env>();
  if (recorder) app.use(countRequests(recorder, deps.clock));
  app.use(requestId(deps.id));
  app.use(hostAndOrigin(door ?? { kind: "loopback", port: () => deps.config.port }, allowedOrigins));
  if (allowedOrigins.length > 0) app.use(allowOrigins(allowedOrigins));
  app.onError(onError(deps.log, (c) => routePath(c)));
  app.notFound((c) => {
    c.header("x-error-code", "not_found");
    return c.json({ detail: "Not Found" }, 404);
  });
  for (const [path, answer] of Object.entries(description)) {
    app.get(path, answer);
    app.all(path, (c) => wrongMethod(c, ["GET"]));
  }
  // A path's wrong methods are refused before a later pattern takes its words for an id.
  for (const [path, rows] of rowsByPath()) {
    for (const row of rows) app.on(row.method, row.path, (c) => serve(row, c));
    const methods = rows.map((row) => row.method);
    app.all(path, (c) => wrongMethod(c, methods));
  }
  return app;

  async function serve(row: Route, c: Context): Promise<Response> {
    const caller: Caller = row.scope === "public" ? { kind: "operator" } : await authenticate(c.req.raw);
    authorize(row, caller);
    const answer = await row.serve({
      deps,
      host,
      caller,
      params: c.req.param(),
      query: lastOfEach(c.req.queries()),
      body: row.method === "GET" ? { kind: "none" } : await Body.read(c.req.raw),
      header: (name) => c.req.header(name),
    });
    return c.json(answer as object, row.status ?? 200);
  }
}

function wrongMethod(c: Context, methods: readonly string[]): Response {
  c.header("x-error-code", "method_not_allowed");
  c.header("allow", methods.join(", "));
  return c.json({ detail: "Method Not Allowed" }, 405);
}

/** The table by path, in the order in which each first appears. */
function rowsByPath(): Map<string, Route[]> {
  return Map.groupBy(routes, (row) => row.path);
}

/** A parameter that is given twice counts as its last. */
function lastOfEach(queries: Readonly<Record<string, string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(queries).map(([name, values]) => [name, values.at(-1) ?? ""]));
}
