import { describe, expect, test } from "vitest";
import { maskAll, maskOf } from "../../core/ground/mask.ts";

describe("secrets of an environment are masked", () => {
  const KEY = "sk-0123456789";
  test.each([
    "OPENAI_API_KEY",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_SECRET_ACCESS_KEY",
    "AGENT_EXECUTE_TOKEN",
    "GITHUB_TOKEN",
    "npm_config__authToken",
    "DB_PASSWORD",
    "apikey",
  ])("%s", (name) => {
    expect(maskOf({ [name]: KEY })(`a ${KEY} b${KEY}`)).toBe("a [masked] b[masked]");
  });

  test.each(["PATH", "KEYBOARD", "MONKEY", "TOKENIZER", "OPENAI_MODEL", "HOME"])("%s is no secret", (name) => {
    expect(maskOf({ [name]: KEY })(KEY)).toBe(KEY);
  });

  test("each line of one, the password of a URL, what is named besides; no short words", () => {
    const mask = maskOf(
      {
        DEPLOY_KEY: "-----BEGIN-----\nAAAABBBBCCCC\n-----END-----",
        HTTPS_PROXY: "http://user:pa55word!@proxy:8080",
        MY_TOKEN: "on",
        OTHER_KEY: undefined,
      },
      ["abc", ""],
    );
    expect(mask("x AAAABBBBCCCC y pa55word! on abc")).toBe("x [masked] y [masked] on [masked]");
  });

  test("one that begins like another is masked whole", () => {
    expect(maskOf({ A_KEY: "secret-one", B_KEY: "secret-one-and-more" })("secret-one-and-more secret-one")).toBe(
      "[masked] [masked]",
    );
  });

  test("texts in plain data, however deep; nothing else is touched", () => {
    const bytes = new Uint8Array([1]);
    const value = { a: [KEY, 1, null, { b: `x${KEY}` }], c: true, d: undefined, e: bytes };
    expect(maskAll(maskOf({ A_KEY: KEY }), value)).toEqual({
      a: ["[masked]", 1, null, { b: "x[masked]" }],
      c: true,
      d: undefined,
      e: bytes,
    });
    expect(value.a[0]).toBe(KEY);
  });
});
