import * as z from "zod";

/** What a time that says no zone is refused with: nobody knows when it was (contract, "Decided against it"). */
export const NO_ZONE = "must be an ISO 8601 time with a zone";

/** A time as clients write it, with its zone. */
export const Instant = z.iso.datetime({ offset: true, error: NO_ZONE });

/** Ms since the epoch of a text that is an instant, else undefined. */
export function instantOf(text: string): number | undefined {
  return Instant.safeParse(text).success ? Date.parse(text) : undefined;
}

/** Whether a text says when, but not where: it would be another time on every machine. */
export function isZoneless(text: string): boolean {
  return Number.isFinite(Date.parse(text)) && instantOf(text) === undefined;
}
