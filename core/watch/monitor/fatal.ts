import * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import { document } from "./document.ts";

const Fatal = z.strictObject({
  at: z.string(),
  reason: z.string(),
  detail: z.string(),
  recovery_attempted: z.boolean(),
});

/** Contract 4.10: `{fatal: false}`, or what ended the pipeline for good. */
export const FatalIssues = z.union([
  z.strictObject({ fatal: z.literal(false) }),
  z.strictObject({ fatal: z.literal(true), ...Fatal.shape }),
]);
export type FatalIssues = z.infer<typeof FatalIssues>;

/** What recovery could not mend, if there is such. */
export async function fatal(deps: Pick<Deps, "store">): Promise<FatalIssues> {
  const found = await document(deps, "fatal", Fatal);
  return typeof found === "object" ? { fatal: true, ...found } : { fatal: false };
}
