import { sha256 } from "../../ground/id.ts";

/**
 * The grammar of a backlog file: numbered lines are items, `##` and `###` headers are phases, the rest is prose.
 * Pure, total and linear in the file's length. An item's id never depends on its number or its place.
 */

/** One numbered line. */
export type Item = {
  /** `{#id}` at the end of the line, else the first 8 hex digits of the SHA-256 of `text` (`-2`, `-3` for a repeat). */
  id: string;
  /** Whether the line names its id itself. */
  explicit: boolean;
  /** The direction, 1..5 000 characters, without number and id mark. */
  text: string;
  /** The nearest `##` or `###` header above, at most 200 characters; null before the first. */
  phase: string | null;
  /** 6 in `## Phase 6: …`; a `###` without a number of its own keeps that of its `##`. */
  phaseNumber: number | null;
  /** 1-based line in the file. */
  line: number;
  /** The number written before the dot; it means nothing. */
  number: number;
  /** 0-based order among the items. */
  rank: number;
};

/** What is wrong with a file. `line` is 1-based, 0 where it is the whole file. */
export type Problem = { line: number; message: string; remedy: string };

/** `items` holds only lines without a problem. A push of a file with problems must change nothing: a line left out looks retired. */
export type Parsed = { items: Item[]; problems: Problem[] };

/** Characters (UTF-16 units) of the longest item: the limit of a task's direction. */
export const MAX_TEXT = 5_000;
/** Problems reported of one file; the rest is counted in a last one. */
export const MAX_PROBLEMS = 100;

const MAX_PHASE = 200;
/** Part of a branch's name, so never a dash at its begin. */
const ID = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** What the ids of meta items begin with in the table. */
const META_MARK = "meta-";
const NOT_UTF8 = "\uFFFD";

/** The text of a file's bytes; bytes that are not UTF-8 become U+FFFD, which `parse` reports. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8").decode(bytes);
}

/** Whether `id` may stand in `{#id}`: 1..64 of a–z, 0–9, `-` and `_`, the first a letter or digit, and not the mark of meta items. */
export function isId(id: string): boolean {
  return ID.test(id) && !id.startsWith(META_MARK);
}

/**
 * The id of a line's item in the table. Meta shares the product's backlog under ids with a mark of their own, so that two files
 * never claim one item; one that would be too long with it ends in a hash.
 */
export function itemId(kind: "product" | "meta", id: string): string {
  if (kind === "product") return id;
  const marked = META_MARK + id;
  return marked.length <= 64 ? marked : `${marked.slice(0, 47)}-${sha256(id).slice(0, 16)}`;
}

/** Which file an item of the table is of, as its id says. */
export function kindOf(id: string): "product" | "meta" {
  return id.startsWith(META_MARK) ? "meta" : "product";
}

/** Reads any text; never throws. */
export function parse(text: string): Parsed {
  const problems: Problem[] = [];
  if (text.includes("\0")) {
    return {
      items: [],
      problems: [
        {
          line: 0,
          message: "the file holds NUL bytes: it is binary, or text saved as UTF-16",
          remedy: "Name a text file, saved as UTF-8.",
        },
      ],
    };
  }
  const found = scan(text.startsWith("\uFEFF") ? text.slice(1) : text, problems);
  const items = identify(found, problems);
  if (items.length === 0 && problems.length === 0) {
    problems.push({
      line: 0,
      message: text.trim() === "" ? "the file is empty" : "the file has no numbered items",
      remedy: "Write each item on one line of its own: `1. what to do`.",
    });
  }
  problems.sort((a, b) => a.line - b.line);
  const more = problems.length - MAX_PROBLEMS;
  if (more > 0) {
    problems.length = MAX_PROBLEMS;
    problems.push({ line: 0, message: `and ${more} more`, remedy: "Correct those above and check again." });
  }
  return { items, problems };
}

/** What is wrong with a backlog file, in the order of its lines; empty when it may be pushed. */
export function check(text: string): Problem[] {
  return parse(text).problems;
}

/**
 * The spec that an item names, as a path relative to the repository: the last `→ spec [name](path)`, else the first
 * `specs/….md` in its text. Null where it names none, or one that is absolute, hidden or leads out of the repository.
 */
export function specPathOf(text: string): string | null {
  const within = text.slice(0, MAX_TEXT);
  const link = [...within.matchAll(/(?:→|->)\s*spec\s*\[[^\][]*\]\(([^()]*)\)/giu)].at(-1)?.[1];
  if (link !== undefined) {
    // A link's title and anchor are not the path. A bare name lies beside the backlog, in specs/.
    const target = (link.trim().split(/\s/)[0] ?? "").split("#")[0] ?? "";
    return safe(/[/\\]/.test(target) ? target : `specs/${target}`);
  }
  const bare = /(?:^|[\s`("'[])((?:\.{0,2}\/)*specs\/[^\s`()"'[\]<>,;:]*?\.md)(?![\w/-])/u.exec(within)?.[1];
  return bare === undefined ? null : safe(bare);
}

/** Where an item's spec goes when it names none: `specs/<id>-<slug of its first words>.md`. */
export function defaultSpecPath(id: string, text: string): string {
  const words = text
    .slice(0, MAX_TEXT)
    .replace(/(?:→|->)\s*spec\s*\[[^\][]*\]\([^()]*\)/giu, " ")
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  let slug = "";
  for (const word of (words ?? []).slice(0, 6)) {
    const longer = slug === "" ? word.slice(0, 48) : `${slug}-${word}`;
    if (longer.length > 48) break;
    slug = longer;
  }
  return slug === "" ? `specs/${id}.md` : `specs/${id}-${slug}.md`;
}

type Found = Omit<Item, "id" | "explicit" | "rank"> & { mark: string | null };

/** The numbered lines, with the id that each names itself. */
function scan(text: string, problems: Problem[]): Found[] {
  const found: Found[] = [];
  const garbled: number[] = [];
  let phase: string | null = null;
  let phaseNumber: number | null = null;
  let outerNumber: number | null = null;
  let fence: { mark: string; line: number } | null = null;
  let at = 0;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    at += 1;
    const line = raw.trim();
    if (fence !== null) {
      if (closes(line, fence.mark)) fence = null;
      continue;
    }
    const opened = opens(line);
    if (opened !== null) {
      fence = { mark: opened, line: at };
      continue;
    }
    const header = headerOf(line);
    if (header !== null) {
      const own = /^phase\s+(\d{1,6})(?![\w])/i.exec(header.text)?.[1];
      const number = own === undefined ? null : Number(own);
      if (header.level === 1) phase = phaseNumber = outerNumber = null;
      if (header.level === 2) [phase, phaseNumber, outerNumber] = [header.text, number, number];
      if (header.level === 3) [phase, phaseNumber] = [header.text, number ?? outerNumber];
      continue;
    }
    if (!/^[0-9]/.test(line)) continue;
    const numbered = /^([0-9]+)\.\s+(\S.*)$/s.exec(line);
    if (numbered === null) {
      problems.push({
        line: at,
        message: `starts with a number and is not an item: ${quote(line)}`,
        remedy: "Write an item as `1. what to do`; begin a line of prose with something other than a digit.",
      });
      continue;
    }
    const body = numbered[2] ?? "";
    const mark = /\{#([^{}]*)\}$/.exec(body);
    const words = mark === null ? body : body.slice(0, mark.index).trim();
    const id = mark?.[1] ?? null;
    if (words.includes(NOT_UTF8)) {
      garbled.push(at);
    } else if (id !== null && !isId(id)) {
      problems.push({
        line: at,
        message: `the id ${quote(id)} is not one`,
        remedy: id.startsWith(META_MARK)
          ? `Leave out \`${META_MARK}\`: meta items get it by themselves, and no other id begins with it.`
          : "Use 1 to 64 lower-case letters, digits, `-` and `_`, the first a letter or digit: `{#my-item}`.",
      });
    } else if (words === "") {
      problems.push({ line: at, message: "the item has no text", remedy: "Say what is to be done, before the id." });
    } else if (words.length > MAX_TEXT) {
      problems.push({
        line: at,
        message: `the item has ${words.length} characters; at most ${MAX_TEXT} are taken`,
        remedy: "Put the detail into a spec file and name it: `→ spec [name](path)`.",
      });
    } else {
      const number = Math.min(Number(numbered[1]), Number.MAX_SAFE_INTEGER);
      found.push({ text: words, phase, phaseNumber, line: at, number, mark: id });
    }
  }
  if (fence !== null) {
    problems.push({
      line: fence.line,
      message: "the code block that begins here never ends, so the lines after it are not read",
      remedy: `Close it with a line that holds only ${fence.mark}.`,
    });
  }
  if (garbled[0] !== undefined) {
    problems.push({
      line: garbled[0],
      message: `the text is not UTF-8 (${garbled.length === 1 ? "this item" : `${garbled.length} items, this is the first`})`,
      remedy: "Save the file as UTF-8.",
    });
  }
  return found;
}

/** Gives every line its id. What a line says itself comes first, so that its place in the file does not matter. */
function identify(found: Found[], problems: Problem[]): Item[] {
  const taken = new Map<string, number>();
  const kept = found.filter((item) => {
    if (item.mark === null) return true;
    const earlier = taken.get(item.mark);
    if (earlier === undefined) {
      taken.set(item.mark, item.line);
      return true;
    }
    problems.push({
      line: item.line,
      message: `the id ${quote(item.mark)} is also on line ${earlier}`,
      remedy: "Give each item an id of its own; an item keeps its id when its text changes.",
    });
    return false;
  });

  const hashes = new Map<Found, string>();
  /** Of the texts whose first 8 digits are the same, the one with the smallest hash keeps them (100 000 lines do collide). */
  const smallest = new Map<string, string>();
  for (const item of kept) {
    if (item.mark !== null) continue;
    const hash = sha256(item.text);
    hashes.set(item, hash);
    const short = hash.slice(0, 8);
    const other = smallest.get(short);
    if (other === undefined || hash < other) smallest.set(short, hash);
  }

  const repeats = new Map<string, number>();
  return kept.map(({ mark, ...item }, rank) => {
    if (mark !== null) return { id: mark, explicit: true, ...item, rank };
    const hash = hashes.get(kept[rank] as Found) ?? "";
    const short = hash.slice(0, 8);
    const stem = smallest.get(short) === hash ? short : hash.slice(0, 16);
    let nth = repeats.get(hash) ?? 0;
    let id: string;
    do {
      nth += 1;
      id = nth === 1 ? stem : `${stem}-${nth}`;
    } while (taken.has(id));
    repeats.set(hash, nth);
    taken.set(id, item.line);
    return { id, explicit: false, ...item, rank };
  });
}

/** The fence a line opens, or null; back-ticks that close on the same line are inline code. */
function opens(line: string): string | null {
  const mark = /^(?:`{3,}|~{3,})/.exec(line)?.[0];
  if (mark === undefined) return null;
  return mark.startsWith("`") && line.includes("`", mark.length) ? null : mark;
}

function closes(line: string, mark: string): boolean {
  return line.startsWith(mark) && line === (mark[0] ?? "").repeat(line.length);
}

function headerOf(line: string): { level: number; text: string } | null {
  const start = /^(#{1,6})\s+/.exec(line);
  if (start === null) return null;
  let text = line.slice(start[0].length);
  // Closing hashes belong to the header only after a space.
  let end = text.length;
  while (end > 0 && text[end - 1] === "#") end -= 1;
  if (end < text.length && (end === 0 || /\s/.test(text[end - 1] ?? ""))) text = text.slice(0, end).trimEnd();
  return { level: (start[1] ?? "").length, text: text.slice(0, MAX_PHASE) };
}

/** A path inside the repository, or null: never absolute, escaping, hidden (`.git`, settings), and always Markdown. */
function safe(path: string): string | null {
  const inside = path.replace(/^(?:\.{1,2}\/)+/, "");
  if (inside.length > 200 || !/^[\p{L}\p{N}_][\p{L}\p{N} _./-]*\.md$/u.test(inside)) return null;
  return inside.split("/").some((part) => part === "" || part.startsWith(".")) ? null : inside;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
