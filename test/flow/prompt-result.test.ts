import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as Prompt from "../../core/flow/prompt/index.ts";
import { TYPES, input } from "./prompt-support.ts";

function block(json: string, fence = "```"): string {
  return `${fence}coherence-result\n${json}\n${fence}`;
}

describe("the result block", () => {
  const pass = '{"verdict":"pass","summary":"good"}';

  test("is read with its defaults", () => {
    expect(Prompt.parseResult(`All done.\n\n${block(pass)}\n`)).toEqual({
      kind: "result",
      result: { verdict: "pass", summary: "good", findings: [], tests: [] },
    });
  });

  test.each([
    ["CRLF", block(pass).replaceAll("\n", "\r\n")],
    ["indentation", block(pass).replace(/^/gm, "    ")],
    ["a list's tab", block(pass).replace(/^/gm, "\t")],
    ["a longer fence", block(pass, "`````")],
    ["tildes", block(pass, "~~~")],
    ["a space before the info string", "``` coherence-result\n" + pass + "\n```  "],
    ["more words in the info string", "```coherence-result json\n" + pass + "\n```"],
    ["no closing fence at the very end", "```coherence-result\n" + pass],
    ["an earlier fence left open", "```ts\nconst a = 1;\n" + block(pass)],
    ["an earlier result left open", "```coherence-result\n{ no\n" + block(pass)],
    ["null for what is absent", block('{"verdict":"pass","summary":"good","spec_path":null,"question":null}')],
    ["an empty text for what is absent", block('{"verdict":"pass","summary":"good","spec_path":"","question":""}')],
    ["unknown fields", block('{"verdict":"pass","summary":"good","mood":"fine"}')],
  ])("tolerates %s", (_, output) => {
    expect(Prompt.parseResult(output)).toMatchObject({ kind: "result", result: { verdict: "pass", summary: "good" } });
  });

  test("the last one counts, also when it is the broken one", () => {
    expect(Prompt.parseResult(`${block('{"verdict":"fail"}')}\nthen\n${block(pass)}`)).toMatchObject({
      result: { verdict: "pass" },
    });
    expect(Prompt.parseResult(`${block(pass)}\n${block("{")}`)).toMatchObject({ kind: "invalid" });
  });

  test("one that is quoted in a longer fence is a quotation", () => {
    expect(Prompt.parseResult(`\`\`\`\`md\n${block(pass)}\n\`\`\`\``)).toEqual({ kind: "none" });
  });

  test.each([
    ["", "nothing"],
    ["0 failed, 12 passed", "counts"],
    ["APPROVED", "a word"],
    ["Rejects a broken token, as it should", "a word that sounds bad"],
    [pass, "JSON without a fence"],
    ["```json\n" + pass + "\n```", "another fence"],
    ["`coherence-result` " + pass, "inline code"],
    ["```coherence-results\n" + pass + "\n```", "another info string"],
  ])("FAILURES 7: %j (%s) decides nothing", (output) => {
    expect(Prompt.parseResult(output)).toEqual({ kind: "none" });
  });

  test.each([
    ["{", /not JSON/],
    ["[]", /not a JSON object/],
    ['"pass"', /not a JSON object/],
    ['{"verdict":"APPROVED"}', /verdict/],
    ['{"findings":[{"file":"a"}]}', /findings/],
  ])("%s is invalid and says where", (json, why) => {
    const parsed = Prompt.parseResult(block(json));
    expect(parsed).toMatchObject({ kind: "invalid", asked: false });
    expect(parsed.kind === "invalid" && parsed.why).toMatch(why);
  });

  test.each([
    '{"question":"Which one?"}',
    '{"question":{"prompt":"?","options":[1]}}',
    '{"question": {"prompt": "no end',
  ])("a question that cannot be read is known to be one: %s", (json) => {
    expect(Prompt.parseResult(block(json))).toMatchObject({ kind: "invalid", asked: true });
  });

  test("a question with nulls inside", () => {
    const json = '{"question":{"prompt":"Which?","options":["a","b"],"default":null,"default_after_s":null}}';
    expect(Prompt.parseResult(block(json))).toMatchObject({
      kind: "result",
      result: { question: { prompt: "Which?", options: ["a", "b"] } },
    });
  });

  test("what is only too long is cut, the verdict stays", () => {
    const parsed = Prompt.parseResult(
      block(
        JSON.stringify({ verdict: "fail", summary: "s".repeat(9_000), findings: Array(60).fill("f".repeat(3_000)) }),
      ),
    );
    expect(parsed).toMatchObject({ kind: "result", result: { verdict: "fail" } });
    expect(parsed.kind === "result" && parsed.result.findings).toHaveLength(50);
  });

  test.each(TYPES)("the example of a %s prompt, echoed back, neither passes nor asks", (type) => {
    const parsed = Prompt.parseResult(Prompt.build(input(type)).text);
    expect(parsed.kind).not.toBe("none");
    const result = parsed.kind === "result" ? parsed.result : {};
    expect(result).not.toHaveProperty("verdict");
    expect(result).not.toHaveProperty("question");
  });

  test("a line of a million spaces does not stop the parser", () => {
    expect(Prompt.parseResult("```" + " ".repeat(1_000_000) + "`")).toEqual({ kind: "none" });
  });

  test("property: never throws, and what was written is read", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: "grapheme" }), (noise, summary) => {
        Prompt.parseResult(noise);
        const written = block(JSON.stringify({ verdict: "fail", summary }));
        expect(Prompt.parseResult(`words\n${written}`)).toMatchObject({ result: { verdict: "fail", summary } });
      }),
    );
  });
});
