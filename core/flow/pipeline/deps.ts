import type { Deps } from "../../ground/deps.ts";
import type { Registry } from "../../work/provider/index.ts";
import type { TaskType } from "../../work/task/index.ts";
import type { At, Order, Report } from "../worker/index.ts";

/** What the verbs that run work need beyond the ground. */
export type PipelineDeps = Deps & {
  providers: Registry;
  /** Who holds our leases: a new incarnation at every start, so that a host ends what its earlier life held. */
  host: { id: string; incarnation: string };
  routing: {
    /** `--provider`: for every task that names none itself. */
    pin?: string;
    /** The scratch repository: the simulated provider may play. */
    allowSimulated: boolean;
  };
  work: {
    /** Whether there is a repository; without one nothing is judged or merged. */
    tree: boolean;
    merge: boolean;
    /** Ms that a turn's lease lasts. */
    leaseMs: number;
    /** Ms after which an inline run is entered again; absent: never. */
    continueAfterMs?: number;
  };
  /** How fast work may begin; the host changes it while it runs. */
  pace: {
    /** Nothing is started: no attempt, no item. */
    paused: boolean;
    /** How many more items may start (`--max-items`). */
    itemsLeft: number;
    /** Only this backlog's items are worked on, and tasks of none (`--once`). */
    only?: string;
    /** Nothing is started after this time, in ms (`--hours`). */
    until: number;
  };
  /** Carries out an order in this process; rejects only on a fault of ours. */
  carryOut(order: Order, report: Report, signal: AbortSignal): Promise<void>;
  /** What the user's HEAD says about prompts and tests. */
  settings(): Promise<{ prompts: Partial<Record<TaskType, string>>; testCommand?: string[] }>;
  at: At;
};

/** The owner of our leases, as it stands on attempts. */
export function ownerOf(host: PipelineDeps["host"]): string {
  return `${host.id}/${host.incarnation}`;
}

/** Whether an owner is an earlier life of this host. */
export function isEarlierLife(host: PipelineDeps["host"], owner: string): boolean {
  return owner.startsWith(`${host.id}/`) && owner !== ownerOf(host);
}

/** Whether work may begin now. */
export function mayStart(deps: Pick<PipelineDeps, "pace" | "clock">): boolean {
  return !deps.pace.paused && deps.clock.now() < deps.pace.until;
}
