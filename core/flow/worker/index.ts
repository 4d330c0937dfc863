/** The worker: carries out a work order on a tree and reports; and the registry of workers and their slots. */
export type { At, Order, Point, Report, Tree } from "./order.ts";
export type { Tools } from "./agent.ts";
export { run } from "./run.ts";
export { tableReport, type Reported } from "./report.ts";
export {
  available,
  beat,
  find,
  free,
  leave,
  list,
  NOBODY_FREE,
  register,
  reserve,
  WORKER_LEASE_MS,
  type Slot,
  type WorkerRow,
} from "./registry.ts";
