import { beforeAll, describe, expect, it } from "vitest";
import { api, typesByField, type Api } from "./support.ts";

let app: Api;
beforeAll(async () => {
  app = await api();
});
const push = (id: string, body: unknown) => app.call("POST", `/api/agent/backlogs/${id}/push`, body);
const TWO = "## Phase 6: Product-Critical\n\n1. First thing {#first}\n2. Second thing {#second}\n";

describe("pushing", () => {
  it("puts the items, repeats without a change, and shows them in the order of the file", async () => {
    const first = await push("night", { text: TWO });
    expect(first.status, first.text).toBe(200);
    expect(first.body).toEqual({
      backlog: "night",
      dry_run: false,
      created: ["first", "second"],
      changed: [],
      returned: [],
      retired: [],
      unchanged: 0,
      problems: [],
    });
    expect((await push("night", { text: TWO })).body).toMatchObject({ created: [], unchanged: 2 });
    const items = await app.call("GET", "/api/agent/backlogs/night/items");
    expect(items.body).toMatchObject({
      total: 2,
      items: [
        { id: "first", state: "queued", phase_number: 6, task: null, branch: "coherence-item/night/first" },
        { id: "second", kind: "product", rank: 1 },
      ],
    });
    expect((items.body.items as object[])[0]).not.toHaveProperty("pk");
    expect((await app.call("GET", "/api/agent/backlogs/night/items?state=done")).body).toEqual({ items: [], total: 0 });
    expect((await app.call("GET", "/api/agent/backlogs")).body).toMatchObject({
      total: 1,
      backlogs: [{ id: "night", branch: "coherence/night" }],
    });
  });

  it("a dry run says what would happen and changes nothing", async () => {
    const answer = await push("dry", { text: TWO, dry_run: "yes" });
    expect(answer.body).toMatchObject({ dry_run: true, created: ["first", "second"] });
    expect((await app.call("GET", "/api/agent/backlogs/dry/items")).status).toBe(404);
  });

  it.each([
    ["nothing", ""],
    ["no item", "prose\n"],
    ["a binary", "PK\0\x01"],
    ["a line that is none", "1. ok\n2x\n"],
    ["an item over 5000 characters", `1. ${"x".repeat(5001)}\n`],
  ])("a file with %s is 422 by line, and nothing changes", async (_name, text) => {
    const answer = await push("bad", { text });
    expect(answer.status).toBe(422);
    for (const detail of answer.body.detail as object[])
      expect(detail).toMatchObject({ type: "value_error", loc: ["body", "text", expect.any(Number) as number] });
    expect((await app.call("GET", "/api/agent/backlogs/bad/items")).status).toBe(404);
    const checked = await app.call("POST", "/api/agent/backlogs/check", { text });
    expect(checked.body).toMatchObject({ ok: false, problems: [{ remedy: expect.any(String) as string }] });
  });

  it("refuses too many items, and takes a file of 100 000 lines of prose", async () => {
    const many = Array.from({ length: 5001 }, (_, i) => `${i}. thing ${i}`).join("\n");
    expect((await push("many", { text: many })).status).toBe(422);
    const prose = `1. one\n${"prose\n".repeat(100_000)}`;
    expect((await app.call("POST", "/api/agent/backlogs/check", { text: prose })).body).toEqual({
      ok: true,
      problems: [],
    });
  });

  it("its whole body has at most 1 MiB", async () => {
    expect((await push("big", { text: "x".repeat(1024 * 1024) })).status).toBe(413);
  });

  it.each([
    [{}, { text: "missing" }],
    [{ text: 5 }, { text: "string_type" }],
    [{ text: TWO, kind: "other" }, { kind: "enum" }],
    [{ text: TWO, dry_run: "perhaps" }, { dry_run: "bool_parsing" }],
    [{ text: TWO, dry_run: 2 }, { dry_run: "bool_type" }],
  ])("refuses %j", async (body, expected) => {
    const answer = await push("types", body);
    expect(answer.status).toBe(422);
    expect(typesByField(answer)).toEqual(expected);
  });

  it.each(
    ["..%2Fx", "%00", "-x", "a%20b", "x".repeat(65), "x".repeat(10_000), "%ff"].map(
      (id) => [id.slice(0, 20), id] as const,
    ),
  )("refuses the id %s", async (_name, id) => {
    expect((await push(id, { text: TWO })).status).toBe(422);
    const items = await app.call("GET", `/api/agent/backlogs/${id}/items`);
    expect([items.status, items.headers.get("x-error-code")]).toEqual([404, "backlog.not_found"]);
  });
});

it("items of an unknown backlog are 404, of an unknown state 422", async () => {
  expect((await app.call("GET", "/api/agent/backlogs/none/items")).status).toBe(404);
  expect(typesByField(await app.call("GET", "/api/agent/backlogs/none/items?state=x"))).toEqual({ state: "enum" });
});

it("retrying an item: unknown ones are 404, one that moves by itself 409, and nothing changes", async () => {
  await push("again", { text: TWO });
  const retry = (path: string) => app.call("POST", `/api/agent/backlogs/${path}/retry`);
  expect((await retry("none/items/first")).headers.get("x-error-code")).toBe("item.not_found");
  expect((await retry("again/items/%00")).headers.get("x-error-code")).toBe("item.not_found");
  expect((await retry(`${"x".repeat(5000)}/items/first`)).headers.get("x-error-code")).toBe("backlog.not_found");
  const before = (await app.call("GET", "/api/agent/backlogs/again/items")).body;
  const refused = await retry("again/items/first");
  expect([refused.status, refused.headers.get("x-error-code")]).toEqual([409, "task.transition"]);
  expect((await app.call("GET", "/api/agent/backlogs/again/items")).body).toEqual(before);
});
