import * as z from "zod";
import { cut } from "./words.ts";

/** Bytes of a list: it lies on the task itself, which every end of it writes. */
const MAX_EVIDENCE_BYTES = 16 * 1024;

/** What a task is to reach and how that is seen (contract 2.2): it lies on the task and, flat and as one, in its context. */
export type Contract = {
  target_state: string;
  success_evidence: string[];
  abort_evidence: string[];
  /** Seconds. */
  observation_window_sec: number;
};

/** A string of 1 to `max` characters, trimmed. */
export const trimmed = (max: number) => z.string().trim().min(1).max(max);

/** A bare string is a list of one; items are trimmed, blanks dropped, repeats dropped whatever their case, cut to 600. */
export const evidence = z
  .union([z.string(), z.array(z.string()).max(100)])
  .transform((value) => {
    const seen = new Set<string>();
    return (typeof value === "string" ? [value] : value)
      .map((text) => cut(text.trim(), 600))
      .filter((text) => text !== "" && !seen.has(text.toLowerCase()) && seen.add(text.toLowerCase()));
  })
  .refine((list) => Buffer.byteLength(list.join("")) <= MAX_EVIDENCE_BYTES, "is over 16 KiB");

/** The parts of it that a request names; its own fields win over the same keys in its context, where a wrong type is no value. */
export function contractIn(
  given: { [Key in keyof Contract]?: Contract[Key] | null | undefined },
  context: Readonly<Record<string, unknown>>,
): Partial<Contract> {
  const read = <T>(schema: z.ZodType<T>, key: keyof Contract): T | undefined => {
    const parsed = schema.safeParse(context[key]);
    return parsed.success ? parsed.data : undefined;
  };
  const target_state =
    given.target_state ?? read(z.string().trim().min(1), "target_state")?.slice(0, 600).toWellFormed();
  const success_evidence = given.success_evidence ?? read(evidence, "success_evidence");
  const abort_evidence = given.abort_evidence ?? read(evidence, "abort_evidence");
  const window =
    given.observation_window_sec ?? read(z.coerce.number().int().min(1), "observation_window_sec") ?? undefined;
  return {
    ...(target_state === undefined ? {} : { target_state }),
    ...(success_evidence === undefined ? {} : { success_evidence }),
    ...(abort_evidence === undefined ? {} : { abort_evidence }),
    ...(window === undefined ? {} : { observation_window_sec: Math.min(604_800, Math.max(30, window)) }),
  };
}
