import type { ToolSet } from "ai";
import * as z from "zod";
import { CoherenceError } from "../../../ground/errors.ts";
import type { TreeTools } from "../port.ts";

/** What a tool works with. */
export type Setting = { tree: TreeTools; signal: AbortSignal };

/** What a model is told when a tool cannot do what it asked for. */
export class ToolError extends Error {
  override name = "ToolError";
}

type Tool = {
  description: string;
  input: z.ZodType;
  /** It changes the tree: a review does not get it. */
  changes: boolean;
  run(setting: Setting, input: unknown): Promise<string>;
};

/** The most of everything, so that no call fills a model's window. Characters, unless it says otherwise. */
export const MOST = { listed: 400, hits: 100, lines: 1500, line: 2000, text: 60_000, file: 400_000 } as const;

const Path = z.string().min(1).max(1000).describe("Path relative to the root of the worktree");

/** The tools of a model in a worktree. */
const TOOLS: Readonly<Record<string, Tool>> = {
  list: tool(
    "Lists the files of the worktree that are not ignored.",
    z.object({
      pattern: z.string().max(500).optional().describe('A folder ("src") or a glob ("src/**/*.ts"); all without it'),
    }),
    async ({ tree }, { pattern }) => {
      const found = await tree.list(pattern);
      return found.length === 0 ? "No such files." : firstOf(found, MOST.listed, "files; narrow the pattern");
    },
  ),
  read: tool(
    "Reads a text file. Each line comes with its number and a tab, which are not part of the file.",
    z.object({
      path: Path,
      offset: z.int().min(1).optional().describe("First line, from 1"),
      limit: z.int().min(1).max(MOST.lines).optional().describe("How many lines"),
    }),
    async ({ tree }, { path, offset = 1, limit = MOST.lines }) => {
      const lines = (await readText(tree, path)).replace(/\n$/, "").split("\n");
      if (offset > lines.length) throw new ToolError(`${path} has ${lines.length} lines.`);
      const taken: string[] = [];
      let length = 0;
      for (const line of lines.slice(offset - 1, offset - 1 + limit)) {
        const shown = `${offset + taken.length}\t${clip(line, MOST.line)}`;
        if ((length += shown.length + 1) > MOST.text) break;
        taken.push(shown);
      }
      const last = offset - 1 + taken.length;
      const more =
        last < lines.length ? `\n(lines ${offset}-${last} of ${lines.length}; go on with offset ${last + 1})` : "";
      return `${taken.join("\n")}${more}`;
    },
  ),
  search: tool(
    "Finds a fixed text (no pattern) in the files of the worktree.",
    z.object({
      text: z.string().min(1).max(500),
      pattern: z.string().max(500).optional().describe("Only in this folder or glob"),
    }),
    async ({ tree }, { text, pattern }) => {
      const lines = (await tree.search(text, pattern)).map((hit) => `${hit.path}:${hit.line}: ${hit.text}`);
      return lines.length === 0 ? "Not found." : firstOf(lines, MOST.hits, "hits; narrow the text or the pattern");
    },
  ),
  changes: tool("Shows what changed since the work began, as a patch.", z.object({}), async ({ tree }) => {
    const { files, patch } = await tree.changes();
    return files.length === 0 ? "Nothing changed." : `${firstOf(files, MOST.listed, "files")}\n\n${middleOut(patch)}`;
  }),
  write: changing(
    "Writes a whole file, new or over the old one.",
    z.object({ path: Path, content: z.string().max(MOST.file) }),
    async ({ tree }, { path, content }) => {
      await tree.write(path, content);
      return `Wrote ${path}.`;
    },
  ),
  edit: changing(
    "Replaces a text in a file. The old text must be there exactly once, so give enough of what is around it.",
    z.object({ path: Path, old: z.string().min(1).max(MOST.file), new: z.string().max(MOST.file) }),
    async ({ tree }, { path, old, new: wanted }) => {
      const before = await readText(tree, path);
      const times = before.split(old).length - 1;
      if (times === 0)
        throw new ToolError(`The old text is not in ${path}. Read the file: line numbers and tabs are not part of it.`);
      if (times > 1) throw new ToolError(`The old text is in ${path} ${times} times. Give more of what is around it.`);
      if (old === wanted) throw new ToolError("The new text is the old one.");
      const after = before.replace(old, () => wanted);
      if (after.length > MOST.file) throw new ToolError(`${path} would have more than ${MOST.file} characters.`);
      await tree.write(path, after);
      return `Edited ${path}.`;
    },
  ),
  remove: changing("Removes a file.", z.object({ path: Path }), async ({ tree }, { path }) => {
    if (!(await tree.remove(path))) throw new ToolError(`There is no file ${path}.`);
    return `Removed ${path}.`;
  }),
  run_tests: tool(
    "Runs the test suite, as it will be run on the finished work. It can take minutes.",
    z.object({}),
    async ({ tree, signal }) => {
      const ran = await tree.test(signal);
      switch (ran.kind) {
        case "none":
          return "There are no tests to run yet.";
        case "later":
          return `The tests are not over yet: ${ran.why}.`;
        case "ran":
          return `${ran.suite.exit === 0 ? "Green" : "Red"} (exit code ${ran.suite.exit}).\n${ran.suite.tail}`;
      }
    },
  ),
};

/** The names of the tools that a task of this type gets: a review judges and changes nothing. */
export function namesFor(type: string): string[] {
  return Object.keys(TOOLS).filter((name) => type !== "review" || TOOLS[name]?.changes === false);
}

/** The tools as the SDK describes them to a model; they are run by us, so it gets nothing to run. */
export function describe(names: readonly string[]): ToolSet {
  return Object.fromEntries(
    names.map((name) => [name, { description: TOOLS[name]?.description ?? "", inputSchema: TOOLS[name]?.input }]),
  ) as ToolSet;
}

/**
 * Runs one tool. Throws a `ToolError` for what the model can mend, the workspace's own `workspace.path` for a path that is
 * refused, and other errors of it as they are.
 */
export async function use(setting: Setting, names: readonly string[], name: string, input: unknown): Promise<string> {
  const tool = names.includes(name) ? TOOLS[name] : undefined;
  if (!tool) throw new ToolError(`There is no tool ${name.slice(0, 100)}. There are: ${names.join(", ")}.`);
  const checked = tool.input.safeParse(input);
  if (!checked.success)
    throw new ToolError(`Not the arguments of ${name}: ${z.prettifyError(checked.error).slice(0, 2000)}`);
  try {
    return await tool.run(setting, checked.data);
  } catch (thrown) {
    setting.signal.throwIfAborted();
    if (thrown instanceof ToolError || thrown instanceof CoherenceError) throw thrown;
    const code = (thrown as { code?: unknown }).code;
    // Of a system error only its code: its message names places of this machine.
    throw typeof code === "string" ? new ToolError(`${name} failed: ${code}.`) : thrown;
  }
}

function tool<T extends z.ZodType>(
  description: string,
  input: T,
  run: (setting: Setting, input: z.infer<T>) => Promise<string>,
): Tool {
  return { description, input, changes: false, run: (setting, checked) => run(setting, checked as z.infer<T>) };
}

function changing<T extends z.ZodType>(
  description: string,
  input: T,
  run: (setting: Setting, input: z.infer<T>) => Promise<string>,
): Tool {
  return { ...tool(description, input, run), changes: true };
}

/** A file's text; refuses what is none, which an edit would write back broken. */
async function readText(tree: TreeTools, path: string): Promise<string> {
  const text = await tree.read(path);
  if (/[\0\ufffd]/.test(text)) throw new ToolError(`${path} is no text file.`);
  return text;
}

function firstOf(lines: readonly string[], most: number, what: string): string {
  const taken: string[] = [];
  let length = 0;
  for (const line of lines.slice(0, most)) {
    if ((length += line.length + 1) > MOST.text) break;
    taken.push(line);
  }
  const left = lines.length - taken.length;
  return left === 0 ? taken.join("\n") : `${taken.join("\n")}\n(and ${left} more ${what})`;
}

function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most)}… (${text.length} characters)`;
}

function middleOut(text: string): string {
  if (text.length <= MOST.text) return text;
  const half = MOST.text / 2;
  return `${text.slice(0, half)}\n(${text.length - MOST.text} characters left out)\n${text.slice(-half)}`;
}
