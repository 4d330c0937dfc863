import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunRequest } from "../port.ts";

/**
 * What the simulated agent writes. The same run writes the same bytes. A module carries a revision that grows with rounds and
 * attempts, so that each go leaves a diff and a test that was red can turn green by the next one.
 */

/** What the files of a run are named after: the item, or the task where there is none. */
export function nameOf(request: RunRequest): string {
  return (request.item?.id ?? request.task.id).replace(/[^A-Za-z0-9._-]/g, "-");
}

/** The revision that this run's module has, or its test asks for at least. */
export function revisionOf(request: RunRequest): number {
  return roundOf(request) * ROUND + request.task.attempt;
}

/** The lowest revision of a round after this one: what a red test waits for. */
export function nextRound(request: RunRequest): number {
  return (roundOf(request) + 1) * ROUND;
}

/** Revisions of one round; more than its attempts ever are. */
const ROUND = 1000;

function roundOf(request: RunRequest): number {
  return request.item?.round ?? 0;
}

/** Writes the spec; returns its path in the tree. */
export async function writeSpec(request: RunRequest): Promise<string> {
  const path = request.specPath ?? `specs/${nameOf(request)}.md`;
  const text = `# ${request.item?.text ?? request.task.direction}

_Written by the simulated agent, revision ${revisionOf(request)}._

## Purpose

${request.item?.text ?? request.task.direction}.

## Requirements

- [ ] \`${modulePath(request)}\` says which item it stands for.

## Files to Create/Modify

- \`${modulePath(request)}\`
- \`${testPath(request)}\`

## Acceptance Tests

- \`${testPath(request)}\` passes.

## Out of Scope

Everything else.

## Decision Gates

None.
`;
  await write(request.cwd, path, text);
  return path;
}

/** Writes the item's module. */
export async function writeModule(request: RunRequest): Promise<void> {
  const text = `// Written by the simulated agent.
export const item = ${JSON.stringify(nameOf(request))};
export const revision = ${revisionOf(request)};

/** What this item is about. */
export function describe() {
  return ${JSON.stringify(request.item?.text ?? request.task.direction)};
}
`;
  await write(request.cwd, modulePath(request), text);
}

/** Writes the item's test, which wants the module at `revision` or later; returns its path in the tree. */
export async function writeTest(request: RunRequest, revision: number): Promise<string> {
  const name = nameOf(request);
  const text = `// Written by the simulated agent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, item, revision } from "../src/items/${name}.js";

test(${JSON.stringify(`${name} says what it is about`)}, () => {
  assert.equal(item, ${JSON.stringify(name)});
  assert.ok(describe().length > 0);
});

test(${JSON.stringify(`${name} is at revision ${revision} or later`)}, () => {
  assert.ok(revision >= ${revision}, \`revision \${revision}\`);
});
`;
  await write(request.cwd, testPath(request), text);
  return testPath(request);
}

/** Puts `content` in place of `find`, or of the whole file; a file without `find` stays as it is. */
export async function edit(cwd: string, path: string, find: string | undefined, content: string): Promise<void> {
  if (find === undefined) return write(cwd, path, content);
  const before = await readFile(join(cwd, path), "utf8").catch(() => "");
  if (before.includes(find))
    await write(
      cwd,
      path,
      before.replace(find, () => content),
    );
}

/** Writes a file that a scan for keys must stop; it is put together here so that our own source holds no such text. */
export async function writeSecret(request: RunRequest): Promise<void> {
  const key = `${"AKIA"}${"QWERTYUIOPASDFGH"}`;
  await write(request.cwd, `src/items/${nameOf(request)}.credentials.js`, `export const accessKeyId = "${key}";\n`);
}

function modulePath(request: RunRequest): string {
  return `src/items/${nameOf(request)}.js`;
}

function testPath(request: RunRequest): string {
  return `test/${nameOf(request)}.test.js`;
}

async function write(cwd: string, path: string, text: string): Promise<void> {
  const file = join(cwd, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
