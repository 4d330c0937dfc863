import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { IssueRow, OPEN, PRIORITY } from "./row.ts";

/** Issues of one state that are looked at; there is one a condition and scope, so there are far fewer. */
const LOOK = 100;

const OPEN_WORDS: ReadonlySet<string> = new Set(OPEN);

type Bare = Pick<Deps, "store">;

/**
 * Open issues, the most pressing first, then the oldest, and how many there are. A row that is none counts, and is not shown:
 * it must not cost the others.
 */
export async function open(deps: Bare): Promise<{ issues: IssueRow[]; total: number }> {
  const pages = await Promise.all(
    OPEN.map((state) => Store.query(deps.store, { index: "gsi1", pk: Keys.issuePartition(state), limit: LOOK })),
  );
  const keys = pages.flatMap(({ items }) => items.map(({ pk, sk }) => ({ pk, sk })));
  const rows: (Store.Item | undefined)[] = [];
  for (let i = 0; i < keys.length; i += 100) rows.push(...(await Store.getMany(deps.store, keys.slice(i, i + 100))));
  // The index lags: what is not open any more is none. What cannot be read may be.
  const standing = rows.filter((row) => row && (typeof row.state !== "string" || OPEN_WORDS.has(row.state)));
  const issues = standing.flatMap((row) => {
    const issue = IssueRow.safeParse(row);
    return issue.success ? [issue.data] : [];
  });
  issues.sort((a, b) => PRIORITY[a.severity] - PRIORITY[b.severity] || a.first_seen - b.first_seen);
  return { issues, total: standing.length };
}

/** Conditions that went away since `since` (ms), and those of them that a heal task ended; at most 1 000 are counted. */
export async function resolvedSince(
  deps: Pick<Deps, "store" | "clock">,
  since: number,
): Promise<{ total: number; healed: number }> {
  const months = new Set([since, deps.clock.now()].map(Keys.resolutionPartition));
  const pages = await Promise.all(
    [...months].map((pk) =>
      Store.query(deps.store, {
        index: "gsi1",
        pk,
        sk: { from: Keys.resolvedFrom(since) },
        limit: Store.MAX_LIMIT,
        descending: true,
      }),
    ),
  );
  const items = pages.flatMap((page) => page.items);
  return { total: items.length, healed: items.filter((item) => Keys.wasHealed(String(item.gsi1sk))).length };
}
