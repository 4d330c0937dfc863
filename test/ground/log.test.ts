import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import * as Log from "../../core/ground/log.ts";

/** All that a logger wrote. */
function written(say: (log: Log.Log) => void, level = "info"): string {
  const stream = new PassThrough();
  say(Log.create(level, stream));
  return String(stream.read() ?? "");
}

const SECRET = "sk-0123456789abcdef";

it.each(["authorization", "apiKey", "api_key", "token", "password", "secret", "key"])(
  "masks what is called %s, on top and one below",
  (name) => {
    const text = written((log) => {
      log.info({ [name]: SECRET, kept: "kept" }, "said");
      log.child({ headers: { [name]: SECRET } }).warn({ body: { [name]: SECRET } }, "said");
    });
    expect(text).not.toContain(SECRET);
    expect(text.match(/\[masked\]/g)).toHaveLength(3);
    expect(JSON.parse(text.split("\n")[0] ?? "")).toMatchObject({ kept: "kept", msg: "said" });
  },
);

it("says what its level lets through", () => {
  expect(written((log) => (log.debug("quiet"), log.info("loud")))).toMatch(/^(?!.*quiet).*loud/s);
  expect(written((log) => log.debug("quiet"), "debug")).toContain("quiet");
});
