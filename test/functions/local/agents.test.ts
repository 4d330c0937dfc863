import { existsSync } from "node:fs";
import { test } from "vitest";

/** A skip that can be seen: what `npm test` leaves out, and why. */
test.skip("the real codex: not run here, it needs a download of 400 MB; npm run test:agents runs it", ({ expect }) => {
  expect(existsSync("vitest.agents.config.ts")).toBe(true);
});
