import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { fail } from "../../core/ground/errors.ts";
import type { Id } from "../../core/ground/id.ts";

/** Where the app is reached: on this machine alone, by the port it really listens on, or by a public name. */
export type Door = { kind: "loopback"; port(): number } | { kind: "public" };

/** What the guards leave for whoever answers. */
export type Env = { Variables: { requestId: string } };

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];
const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** Every answer has an `x-request-id`: the caller's when it is sane, else a new one. */
export function requestId(id: Id): MiddlewareHandler<Env> {
  return async (c, next) => {
    const given = c.req.header("x-request-id");
    c.set("requestId", given && SANE_REQUEST_ID.test(given) ? given : `req_${id.hex(16)}`);
    await next();
    c.res.headers.set("x-request-id", c.get("requestId"));
  };
}

/**
 * On loopback a name that is not ours is a web page's (DNS rebinding): 403 `host.forbidden`. An `Origin` must be allowed or be
 * this very host's: 403 `origin.forbidden`.
 */
export function hostAndOrigin(door: Door, allowedOrigins: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    // A server makes the URL from the Host header; only a request made in process has no header.
    const host = (c.req.header("host") ?? new URL(c.req.url).host).toLowerCase();
    if (door.kind === "loopback" && !ownNames(door.port()).includes(host))
      throw fail("host.forbidden", "This API answers on 127.0.0.1 and localhost with its own port only");
    const origin = c.req.header("origin");
    const own = door.kind === "loopback" ? [`http://${host}`] : [`https://${host}`, `http://${host}`];
    if (origin !== undefined && !own.includes(origin.toLowerCase()) && !allowedOrigins.includes(origin))
      throw fail("origin.forbidden", "This origin may not call the API", {
        remedy: "Name it in ALLOWED_ORIGINS if it should.",
      });
    await next();
  };
}

/** CORS for the origins that are allowed; closed when there are none. */
export function allowOrigins(allowedOrigins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: (origin) => (allowedOrigins.includes(origin) ? origin : null),
    credentials: true,
    allowMethods: ["GET", "POST", "PATCH", "PUT", "DELETE"],
    exposeHeaders: ["x-request-id", "x-error-code"],
  });
}

function ownNames(port: number): string[] {
  return LOOPBACK.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]));
}
