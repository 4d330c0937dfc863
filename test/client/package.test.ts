import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { execa } from "execa";
import * as z from "zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createApp } from "../../functions/api/app.ts";
import { testDeps } from "../support/deps.ts";

/** The package as somebody has it who installed it: nothing of this checkout, no TypeScript, no dependency. */
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TSC = createRequire(import.meta.url).resolve("typescript/bin/tsc");

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "client-"));
  const installed = join(folder, "node_modules", "coherence-pipeline");
  mkdirSync(installed, { recursive: true });
  const { stdout } = await execa("npm", ["pack", "--json", "--silent", "--pack-destination", folder], { cwd: ROOT });
  const [packed] = z.array(z.object({ filename: z.string() })).parse(JSON.parse(stdout.slice(stdout.indexOf("["))));
  await execa("tar", ["-xzf", join(folder, packed?.filename ?? ""), "--strip-components=1", "-C", installed]);
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
});

it("holds the client, what must go with it, and no source", () => {
  const installed = join(folder, "node_modules", "coherence-pipeline");
  expect(readdirSync(installed).sort()).toEqual(["LICENSE", "README.md", "dist", "package.json"]);
  expect(readdirSync(join(installed, "dist"))).toEqual(["client"]);
  expect(readdirSync(join(installed, "dist", "client"))).toContain("NOTICE");
});

describe("from plain JavaScript, against the real API", () => {
  let base: string;
  let server: ReturnType<typeof serve>;
  beforeAll(async () => {
    const deps = await testDeps();
    let port = 0;
    const app = createApp({
      deps,
      authenticate: ({ headers }) => {
        const sent = headers.get("authorization");
        return { kind: "key", id: sent ?? "none", scopes: sent === "Bearer the-key" ? ["read", "write"] : ["read"] };
      },
      door: { kind: "loopback", port: () => port },
    });
    await new Promise<void>((resolve) => {
      server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (info) => {
        port = info.port;
        resolve();
      });
    });
    base = `http://127.0.0.1:${port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** Runs a program beside the package; it prints JSON. */
  async function program(text: string): Promise<unknown> {
    const file = join(folder, "program.mjs");
    writeFileSync(file, `import { createClient } from "coherence-pipeline/client";\n${text}`);
    const { stdout } = await execa(process.execPath, [file, base], { cwd: folder, extendEnv: false, env: {} });
    return JSON.parse(stdout);
  }

  it("makes a task with its key, reads it, and is told why not", async () => {
    const said = await program(`
      const api = createClient({ baseUrl: process.argv[2], key: "the-key" });
      const made = await api.POST("/api/agent/tasks", { body: { direction: "do it: ü", task_type: "impl" } });
      const path = { id: made.data.id };
      const read = await api.GET("/api/agent/tasks/{id}", { params: { path } });
      const listed = await api.GET("/api/agent/tasks", { params: { query: { status: "pending", limit: 1 } } });
      const none = await api.GET("/api/agent/tasks/{id}", { params: { path: { id: "../count" } } });
      const bad = await api.POST("/api/agent/tasks", { body: { direction: "" } });
      console.log(JSON.stringify([read.data.direction, listed.data.total, none.error, none.response.status, bad.error.detail.length]));
    `);
    expect(said).toEqual(["do it: ü", 1, { detail: "Task not found" }, 404, 2]);
  });

  it("sends a key that came in the address as Basic, follows no redirect, and takes another fetch", async () => {
    const said = await program(`
      const sent = [];
      const fetch = async (request) => {
        sent.push([request.url, request.headers.get("authorization"), request.redirect]);
        return Response.json({ version: "x" });
      };
      const address = new URL(process.argv[2]);
      const { data } = await createClient({ baseUrl: \`http://any:k%C3%BCy@\${address.host}/base/\`, fetch }).GET("/api/version");
      let refused;
      try { createClient({ baseUrl: "ftp://x" }); } catch (error) { refused = error.name; }
      console.log(JSON.stringify([data, sent, refused]));
    `);
    const basic = `Basic ${Buffer.from("any:küy").toString("base64")}`;
    expect(said).toEqual([{ version: "x" }, [[`${base}/base/api/version`, basic, "error"]], "TypeError"]);
  });
});

it("is typed by the document: what is wrong is a type error", async () => {
  writeFileSync(
    join(folder, "program.ts"),
    `import { createClient, type Shapes } from "coherence-pipeline/client";
    const api = createClient({ baseUrl: "http://127.0.0.1:8000" });
    export async function right(): Promise<string | null> {
      const { data, error } = await api.GET("/api/agent/tasks/{id}", { params: { path: { id: "x" } } });
      if (error) return error.detail;
      const task: Shapes["Task"] = data;
      const made = await api.POST("/api/agent/tasks", { body: { direction: "x", task_type: "impl" } });
      if (made.error) return typeof made.error.detail === "string" ? made.error.detail : (made.error.detail[0]?.msg ?? null);
      await api.POST("/api/agent/backlogs/{id}/push", { params: { path: { id: "b" } }, body: { text: "1. x" } });
      await api.POST("/api/agent/cleanup");
      return task.current_step;
    }
    export async function wrong(): Promise<void> {
      const { data } = await api.GET("/api/agent/tasks");
      // @ts-expect-error a field that no answer has
      void data?.tasks[0]?.directions;
      // @ts-expect-error a path that is not there
      await api.GET("/api/agent/task");
      // @ts-expect-error no such method
      await api.PATCH("/api/agent/tasks", { body: {} });
      // @ts-expect-error a word that is not taken
      await api.POST("/api/agent/tasks", { body: { direction: "x", task_type: "implement" } });
      // @ts-expect-error a field that is missing
      await api.POST("/api/agent/tasks", { body: { task_type: "impl" } });
      // @ts-expect-error a field of another type
      await api.GET("/api/agent/tasks", { params: { query: { limit: "5" } } });
      // @ts-expect-error a parameter that is missing
      await api.GET("/api/agent/tasks/{id}");
    }`,
  );
  // Its own types are checked too, and no others are to be found.
  const compilerOptions = {
    ...{ noEmit: true, strict: true, skipDefaultLibCheck: true, types: [] },
    ...{ module: "nodenext", target: "es2022", lib: ["es2022", "dom", "dom.iterable"] },
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  const { all, exitCode } = await execa(process.execPath, [TSC, "-p", "."], { cwd: folder, reject: false, all: true });
  expect(all).toBe("");
  expect(exitCode).toBe(0);
});
