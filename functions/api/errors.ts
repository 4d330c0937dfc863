import type { Context } from "hono";
import { CoherenceError, type Code } from "../../core/ground/errors.ts";
import type { Log } from "../../core/ground/log.ts";
import { isAway } from "../../core/ground/store/index.ts";
import type { Env } from "./guards.ts";
import { valueError, type Detail } from "./issues.ts";

type Status = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 500 | 503;

/** The one place that maps codes to HTTP. 500: a fault of ours that no request should reach; it is logged and says nothing. */
const STATUS: Readonly<Record<Code, Status>> = {
  "input.invalid": 422,
  "input.too_large": 413,
  "input.cursor": 400,
  "task.not_found": 404,
  "task.log_not_found": 404,
  "task.claimed": 409,
  "task.transition": 409,
  "task.of_item": 409,
  "task.nothing_to_change": 400,
  "run_state.not_found": 404,
  "item.not_found": 404,
  "backlog.not_found": 404,
  "backlog.invalid": 422,
  "lease.lost": 409,
  "idempotency.conflict": 409,
  "host.forbidden": 403,
  "origin.forbidden": 403,
  "body.type": 415,
  "execute.forbidden": 403,
  "auth.missing": 401,
  "auth.scope": 403,
  "store.unavailable": 503,
  "home.locked": 503,
  "config.invalid": 500,
  "process.failed": 500,
  "workspace.not_a_repository": 500,
  "workspace.no_commits": 500,
  "workspace.setup_failed": 500,
  "workspace.base_red": 500,
  "workspace.no_tests": 500,
  "workspace.moved": 409,
  "workspace.git": 500,
  "workspace.path": 500,
  "workspace.secret": 500,
  "provider.unknown": 404,
  "provider.none_ready": 503,
  "scenario.invalid": 500,
  "workflow.exists": 409,
  not_found: 404,
};

/** What goes out for anything that was thrown. */
export type ErrorAnswer = { status: Status; code: string; body: { detail: string | Detail[] } };

/** The answer to anything that was thrown: the contract's body, the code beside it. */
export function answerTo(thrown: unknown): ErrorAnswer {
  if (thrown instanceof CoherenceError) {
    const status = STATUS[thrown.code] ?? 500;
    if (status === 422) return { status, code: thrown.code, body: { detail: detailsOf(thrown) } };
    if (status !== 500) return { status, code: thrown.code, body: { detail: sentence(thrown) } };
  } else if (isAway(thrown)) {
    return { status: 503, code: "store.unavailable", body: { detail: "The store does not answer" } };
  }
  return { status: 500, code: "internal", body: { detail: "Internal server error" } };
}

/** Hono's `onError`: answers, and logs what is a fault of ours with the route's template (never the path or the query). */
export function onError(log: Log, templateOf: (c: Context) => string) {
  return (thrown: Error, c: Context<Env>): Response => {
    const answer = answerTo(thrown);
    if (answer.status >= 500)
      log.error(
        {
          err: thrown,
          code: answer.code,
          method: c.req.method,
          route: templateOf(c),
          request_id: c.get("requestId"),
        },
        "request failed",
      );
    c.header("x-error-code", answer.code);
    if (answer.status === 401) c.header("www-authenticate", "Bearer");
    return c.json(answer.body, answer.status);
  };
}

/** Contract details have no remedy and stay exactly as they are; ours end with what the reader can do. */
function sentence(error: CoherenceError): string {
  return error.remedy === undefined ? error.message : `${error.message}. ${error.remedy}`;
}

function detailsOf(error: CoherenceError): Detail[] {
  if (Array.isArray(error.data.details)) return error.data.details as Detail[];
  const loc = Array.isArray(error.data.loc) ? (error.data.loc as Detail["loc"]) : ["body"];
  return [valueError(loc, sentence(error), null)];
}
