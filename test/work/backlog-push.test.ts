import { beforeAll, expect, test } from "vitest";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Backlog from "../../core/work/backlog/index.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";

let deps: TestDeps;
beforeAll(async () => {
  deps = await testDeps();
});

test("product and meta of one backlog never share a row", async () => {
  await Backlog.push(deps, { id: "b", kind: "product", text: "1. product a {#a}" });
  await Backlog.push(deps, { id: "b", kind: "meta", text: "1. meta a {#a}" });
  const pushed = await Backlog.push(deps, { id: "b", kind: "product", text: "1. product a {#a}\n2. mine {#meta-a}" });
  expect(pushed).toMatchObject({ created: [], changed: [], retired: [], problems: [{ line: 2 }] });
  expect(await Backlog.item(deps, "b", "meta-a")).toMatchObject({ kind: "meta", text: "meta a", state: "queued" });
});

test("meta ids that differ only behind the 59th character are two items", async () => {
  const long = "x".repeat(62);
  const text = `1. one {#${long}1}\n2. two {#${long}2}`;
  expect((await Backlog.push(deps, { id: "long", kind: "meta", text })).created).toHaveLength(2);
  expect(await Backlog.push(deps, { id: "long", kind: "meta", text })).toMatchObject({ created: [], unchanged: 2 });
});

test("a row that an older push gave to the other kind is never changed: the push says so and changes nothing", async () => {
  await Backlog.push(deps, { id: "old", kind: "meta", text: "1. meta a {#a}" });
  const key = Keys.item("old", "meta-a");
  await Store.write(deps.store, { kind: "update", key, set: { kind: "product", text: "product" } });
  const before = await Store.get(deps.store, key);
  const pushed = await Backlog.push(deps, { id: "old", kind: "meta", text: "1. meta a {#a}\n2. new {#new}" });
  expect(pushed).toMatchObject({ created: [], changed: [], unchanged: 0, problems: [{ line: 1 }] });
  expect(await Store.get(deps.store, key)).toEqual(before);
  expect(await Backlog.item(deps, "old", "meta-new")).toBeUndefined();
});
