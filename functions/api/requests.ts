import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes, routePath } from "hono/route";
import type { Clock } from "../../core/ground/clock.ts";
import type { Recorder } from "../../core/work/telemetry/index.ts";

/** What a path that no row has is called: a raw path is never kept. */
export const UNMATCHED = "unmatched";

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Counts each answered request under /api by its route's template, method, status and time; nothing else of it is kept (contract
 * 6.5 without its values). Comes first of all, so that what the guards refuse is counted too.
 */
export function countRequests(recorder: Recorder, clock: Clock): MiddlewareHandler {
  const templates = new Map<string, string>();
  return async (c, next) => {
    const begun = clock.now();
    await next();
    if (c.req.path !== "/api" && !c.req.path.startsWith("/api/")) return;
    const pattern = patternOf(c);
    const route = pattern === undefined ? UNMATCHED : (templates.get(pattern) ?? templateOf(pattern));
    if (pattern !== undefined) templates.set(pattern, route);
    const method = METHODS.has(c.req.method) ? c.req.method : "OTHER";
    recorder.record({ method, route, status: c.res.status, ms: clock.now() - begun });
  };
}

/** A row's path as the contract writes it: `/api/agent/tasks/:id` is `/api/agent/tasks/{task_id}`. */
export function templateOf(pattern: string): string {
  return pattern.replace(/\/tasks\/:id(?=\/|$)/, "/tasks/{task_id}").replace(/:(\w+)/g, "{$1}");
}

/** The pattern of the row that answered, or would have, had no guard refused; undefined where there is none. */
function patternOf(c: Context): string | undefined {
  const answered = routePath(c);
  if (!answered.includes("*")) return answered;
  return matchedRoutes(c).find(({ path }) => !path.includes("*"))?.path;
}
