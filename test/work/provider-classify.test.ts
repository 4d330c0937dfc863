import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codexFailure, waitsForNetwork } from "../../core/work/provider/cli/codex-errors.ts";
import { fromExit, fromHttp, retryAfterMs } from "../../core/work/provider/classify.ts";
import { CLASS_RULES } from "../../core/work/provider/index.ts";
import { Failure, FailureClass } from "../../core/work/task/index.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");

describe("an HTTP answer has a class", () => {
  const cases: [number, string[], FailureClass][] = [
    [400, [], "bad_request"],
    [400, ["context_length_exceeded"], "context_length"],
    [400, ["content_policy_violation"], "content_filter"],
    [401, [], "auth"],
    [402, [], "payment"],
    [403, [], "payment"],
    [403, ["authentication_error"], "auth"],
    [404, [], "model_not_found"],
    [408, [], "stalled"],
    [413, [], "context_length"],
    [422, ["something_new"], "bad_request"],
    [429, [], "rate_limit"],
    [429, ["rate_limit_exceeded"], "rate_limit"],
    [429, ["insufficient_quota"], "quota"],
    [429, ["something_new", "insufficient_quota"], "quota"],
    [500, [], "overloaded"],
    [503, [], "overloaded"],
    [529, ["overloaded_error"], "overloaded"],
  ];
  test.each(cases)("%i %j is %s", (status, types, wanted) => {
    expect(fromHttp({ status, types, message: "m" }, NOW)).toMatchObject({ class: wanted, status });
  });

  test("the words of its message decide nothing", () => {
    fc.assert(
      fc.property(fc.constantFrom(400, 401, 402, 404, 429, 500), fc.string(), (status, words) => {
        const plain = fromHttp({ status, message: "m" }, NOW).class;
        const misleading = `${words} rate limit 429 quota exceeded unauthorized`;
        expect(fromHttp({ status, message: misleading }, NOW).class).toBe(plain);
      }),
    );
  });

  test("any status of 400 or more gives a valid failure of one short line", () => {
    fc.assert(
      fc.property(fc.integer({ min: 400, max: 599 }), fc.string({ maxLength: 2000 }), (status, message) => {
        const failure = Failure.parse(fromHttp({ status, message: `${message}\n${message}` }, NOW));
        expect(failure.message.length).toBeLessThanOrEqual(500);
        expect(failure.message).not.toContain("\n");
      }),
    );
  });

  test("an exhausted quota says when it returns", () => {
    const headers = { "retry-after": "3600" };
    expect(fromHttp({ status: 429, types: ["insufficient_quota"], headers, message: "m" }, NOW)).toMatchObject({
      class: "quota",
      resets_at: NOW + 3_600_000,
    });
  });
});

describe("how long to wait", () => {
  const cases: [Record<string, string>, number | null][] = [
    [{}, null],
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Fri, 20 Nov 2026 12:01:00 GMT" }, 60_000],
    [{ "retry-after": "Fri, 20 Nov 2026 11:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after-ms": "250", "retry-after": "1" }, 250],
    [{ "x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0" }, 360_000],
    [{ "x-ratelimit-reset-tokens": "20ms", "x-ratelimit-remaining-tokens": "0" }, 20],
    // A limit that is not used up says nothing about this refusal.
    [{ "x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "9" }, null],
    [
      {
        "anthropic-ratelimit-tokens-reset": "2026-11-20T12:00:30Z",
        "anthropic-ratelimit-tokens-remaining": "0",
      },
      30_000,
    ],
  ];
  test.each(cases)("%j: %s ms", (headers, wanted) => {
    expect(retryAfterMs(headers, NOW)).toBe(wanted);
  });

  test("never less than nothing, whatever the header holds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const wait = retryAfterMs({ "retry-after": text }, NOW);
        expect(wait === null || wait >= 0).toBe(true);
      }),
    );
  });
});

describe("codex's terminal message has a class", () => {
  const cases: [string, FailureClass, number?][] = [
    ["exceeded retry limit, last status: 429 Too Many Requests, request id: r", "rate_limit", 429],
    ["unexpected status 401 Unauthorized: bad key, url: http://x/v1/responses", "auth", 401],
    ["unexpected status 402 Payment Required: planted 402", "payment", 402],
    ["unexpected status 403 Forbidden: no", "payment", 403],
    ["unexpected status 404 Not Found: no", "model_not_found", 404],
    ["unexpected status 413 Payload Too Large: no", "context_length", 413],
    ["unexpected status 503 Service Unavailable: no", "overloaded", 503],
    ['{"error":{"type":"invalid_request_error","code":null,"message":"bad","param":null}}', "bad_request", 400],
    ['{"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"long"}}', "context_length"],
    ["The model `gpt-9` does not exist or you do not have access to it.", "model_not_found"],
    ["Quota exceeded. Check your plan and billing details.", "quota"],
    ["We’re currently experiencing high demand, which may cause temporary errors.", "overloaded"],
    ["Codex ran out of room in the model's context window. Start a new thread …", "context_length"],
    ["stream disconnected before completion: idle timeout waiting for SSE", "stalled"],
    ["stream disconnected before completion: Incomplete response returned, reason: content_filter", "content_filter"],
    ["something that this version never said", "crash"],
  ];
  test.each(cases)("%s", (message, wanted, status) => {
    expect(codexFailure(message, NOW)).toMatchObject({ class: wanted, ...(status ? { status } : {}) });
  });

  test("FAILURES 21: a status or a sentence inside the message, not at its start, is not read", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("last status: 429", "unexpected status 402", "Quota exceeded. Check", "does not exist"),
        (words) => codexFailure(`the agent's own text says ${words}`, NOW).class === "crash",
      ),
    );
  });

  test("only the wait for the network is one", () => {
    expect(waitsForNetwork("Reconnecting... waiting for network (Connection failed)")).toBe(true);
    expect(waitsForNetwork("I wrote: Reconnecting... waiting for network")).toBe(false);
  });
});

test("a process that ended without a word is a crash", () => {
  expect(fromExit({ code: 137, signal: null }, "")).toEqual({
    class: "crash",
    message: "The agent ended with exit code 137.",
  });
  expect(fromExit({ code: null, signal: "SIGKILL" }, "oom").message).toBe("The agent ended with signal SIGKILL: oom");
});

describe("the rules of the classes", () => {
  test("each class has one, with one sentence for a person", () => {
    expect(Object.keys(CLASS_RULES).sort()).toEqual([...FailureClass.options].sort());
    for (const rule of Object.values(CLASS_RULES)) expect(rule.remedy).toMatch(/^[A-Z][^\n]+\.$/);
  });

  test("what cools down says how it ends, what does not has no times", () => {
    for (const rule of Object.values(CLASS_RULES)) {
      expect(rule.scope === "none").toBe(rule.starts === "never");
      if (rule.starts === "never") expect(rule).toMatchObject({ cooldownMs: null, doublingMaxMs: null });
      if (rule.starts !== "never" && (rule.ends === "time" || rule.ends === "reset")) {
        expect(rule.cooldownMs).toBeGreaterThan(0);
      }
      expect(rule.doublingMaxMs ?? Infinity).toBeGreaterThan(rule.cooldownMs ?? 0);
    }
  });

  test("DESIGN 5's table", () => {
    const { rate_limit, quota, payment, auth, overloaded, stalled, context_length, content_filter } = CLASS_RULES;
    expect(rate_limit).toMatchObject({ scope: "model", cooldownMs: 30_000, doublingMaxMs: 900_000, next: "yes" });
    expect(quota).toMatchObject({ scope: "credential", ends: "reset", cooldownMs: 1_800_000 });
    expect(payment).toMatchObject({ scope: "credential", cooldownMs: 600_000, whoActs: "user" });
    expect(auth).toMatchObject({ scope: "credential", ends: "readiness", whoActs: "user" });
    expect(overloaded).toMatchObject({
      retrySame: "once",
      starts: "streak",
      cooldownMs: 15_000,
      doublingMaxMs: 300_000,
    });
    expect(stalled).toMatchObject({ retrySame: "no", starts: "streak" });
    expect(context_length.next).toBe("larger_window");
    expect(content_filter).toMatchObject({ next: "no", whoActs: "user" });
  });
});
