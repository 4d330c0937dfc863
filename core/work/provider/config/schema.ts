import * as z from "zod";
import { TaskType } from "../../task/index.ts";

/**
 * `coherence.config.json`: what a user changes of the table of providers. Strict, since here a typo has to be said; each field's
 * error is the sentence that a user reads behind the path to it.
 */

const text = (most: number) => {
  const expected = `expected text of 1 to ${most} characters on one line`;
  // What is printed, stored and handed to a program: no line ends, no escapes.
  return z.string(expected).regex(new RegExp(`^[^\\p{Cc}]{1,${most}}$`, "u"), expected);
};
const dollars = z.number("expected a number ≥ 0").min(0, "expected a number ≥ 0").max(1_000_000, "is over 1 000 000");
const tokens = "expected a whole number of tokens from 1 000 to 100 000 000";
const types = `expected one of ${TaskType.options.join(", ")}`;
const url = "expected an http or https URL without user, password, query and fragment";

export const PriceOverride = z.strictObject(
  {
    input: dollars,
    /** Absent: as fresh input. */
    cached: dollars.optional(),
    written: dollars.optional(),
    output: dollars,
    date: z.iso.date("expected a day, as 2026-11-26"),
    source: text(500),
  },
  "expected an object, or null where the price is unknown",
);

export const ModelOverride = z.strictObject(
  {
    name: text(200),
    context_window: z.int(tokens).min(1000, tokens).max(100_000_000, tokens).optional(),
    tier: z.literal([1, 2, 3], "expected 1, 2 or 3").optional(),
    price: PriceOverride.nullable().optional(),
  },
  "expected an object with a name",
);

/** What else a provider can do is so, whatever a file says. */
export const CapabilitiesOverride = z.strictObject(
  { paid: z.boolean("expected true or false").optional() },
  "expected an object",
);

export const Override = z.strictObject(
  {
    enabled: z.boolean("expected true or false").optional(),
    models: z
      .array(ModelOverride, "expected a list of models")
      .min(1, "expected at least one model (to switch the provider off: enabled: false)")
      .max(50, "expected at most 50 models")
      .refine((models) => new Set(models.map((one) => one.name)).size === models.length, "has two models of one name")
      .optional(),
    prefers: z.array(z.enum(TaskType.options, types), `expected a list; ${types}`).max(20, "is too long").optional(),
    capabilities: CapabilitiesOverride.optional(),
    base_url: z.string(url).max(2000, url).refine(isPlainUrl, url).optional(),
  },
  "expected an object",
);
export type Override = z.infer<typeof Override>;

/** What a file says, by provider. */
export type Overrides = Readonly<Record<string, Override>>;

/** The whole file, for a table with providers of these names. */
export function fileOf(names: readonly string[]) {
  const providers = z.strictObject(
    Object.fromEntries(names.map((name) => [name, Override.optional()])),
    "expected an object with the names of providers",
  );
  return z.strictObject({ providers: providers.optional() }, "expected an object");
}

/** A URL is printed, stored and shown: nothing secret may be in it. */
function isPlainUrl(given: string): boolean {
  if (!/^https?:\/\/\S+$/i.test(given) || !URL.canParse(given)) return false;
  const { username, password, search, hash } = new URL(given);
  return [username, password, search, hash].every((part) => part === "");
}
