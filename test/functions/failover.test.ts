import Table from "cli-table3";
import { afterAll, describe, expect, test } from "vitest";
import { CASES, PROTOCOLS, SPEED, world } from "../support/failover.ts";

/**
 * Routing's sixteen cases, through the state machine, a protocol each. `npm run bench:failover` prints what was expected and what
 * was got.
 */

const got: { protocol: string; name: string; expected: string; got: string }[] = [];

describe.each(Object.keys(PROTOCOLS))("%s", (protocol) => {
  test.concurrent.each(CASES)("$name", async (one) => {
    const place = await world(protocol, one);
    try {
      const line = await (one.run ? one.run(place) : place.task().then((ran) => place.tell(ran)));
      got.push({ protocol, name: one.name, expected: one.expected, got: line });
      expect(line).toBe(one.expected);
    } finally {
      await place.close();
    }
  });
});

afterAll(() => {
  if (!process.env["COHERENCE_FAILOVER_TABLE"]) return;
  const table = new Table({
    head: ["Case", "Protocol", "Expected", "Got", ""],
    colWidths: [34, 18, 46, 46, 5],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  const place = ({ name }: { name: string }) => CASES.findIndex((one) => one.name === name);
  got.sort((a, b) => place(a) - place(b) || a.protocol.localeCompare(b.protocol));
  for (const row of got)
    table.push([row.name, row.protocol, row.expected, row.got, row.got === row.expected ? "ok" : "NOT"]);
  const good = CASES.filter((one) =>
    got.filter((row) => row.name === one.name).every((row) => row.got === row.expected),
  );
  console.log(`${table.toString()}\n${good.length} of ${CASES.length} cases, on ${SPEED} times faster clocks`);
});
