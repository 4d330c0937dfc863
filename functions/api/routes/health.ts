import * as z from "zod";
import type { Deps } from "../../../core/ground/deps.ts";
import { fail, messageOf } from "../../../core/ground/errors.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import * as Present from "../present.ts";
import { route, type Host } from "../route.ts";
import * as Shapes from "../shapes.ts";
import { VERSION } from "../version.ts";

/** Whole seconds. */
const time = z.iso.datetime({ precision: 0 });
const sixKeysOf = <S extends "ok" | "ready">(status: S) =>
  z.object({
    status: z.literal(status),
    version: z.string(),
    timestamp: time,
    started_at: time,
    uptime_seconds: z.number().int(),
    uptime_human: z.string(),
  });

const health = route({
  id: "getHealth",
  method: "GET",
  path: "/api/health",
  scope: "public",
  summary: "Whether the process answers",
  answer: sixKeysOf("ok"),
  handle: ({ deps, host }) => sixKeys("ok", deps, host),
});

const ready = route({
  id: "getReady",
  method: "GET",
  path: "/api/ready",
  scope: "public",
  summary: "Whether the store answers too (503 otherwise)",
  answer: sixKeysOf("ready"),
  refuses: { 503: Shapes.NotReady },
  async handle({ deps, host }) {
    try {
      await Store.get(deps.store, Keys.config("ready"));
    } catch (error) {
      throw fail("store.unavailable", "not ready", { data: { reason: messageOf(error) }, cause: error });
    }
    return sixKeys("ready", deps, host);
  },
});

const version = route({
  id: "getVersion",
  method: "GET",
  path: "/api/version",
  scope: "public",
  summary: "The API's version",
  answer: z.object({ version: z.string() }),
  handle: () => ({ version: VERSION }),
});

/** What answers without a key. */
export const healthRoutes = [health, ready, version];

function sixKeys<S extends "ok" | "ready">(status: S, deps: Deps, host: Host) {
  const now = deps.clock.now();
  const uptime = Math.max(0, Math.floor((now - host.startedAt) / 1000));
  return {
    status,
    version: VERSION,
    timestamp: Present.seconds(now),
    started_at: Present.seconds(host.startedAt),
    uptime_seconds: uptime,
    uptime_human: human(uptime),
  };
}

/** `Ns`, `Nm Ns`, `Nh Nm Ns` or `Nd Nh Nm Ns`. */
function human(total: number): string {
  const units: [number, string][] = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3600) % 24, "h"],
    [Math.floor(total / 60) % 60, "m"],
    [total % 60, "s"],
  ];
  const first = units.findIndex(([n], i) => n > 0 || i === units.length - 1);
  return units
    .slice(first)
    .map(([n, unit]) => `${n}${unit}`)
    .join(" ");
}
