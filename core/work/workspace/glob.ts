import { refused } from "./paths.ts";

const LONGEST = 300;
const MOST = 64;

/**
 * A folder or a glob as pathspecs of git, which matches them outside of this process: every matcher is kept busy for ever by some
 * pattern, and git can be ended. Git knows no braces, so `*.{js,ts}` becomes two. None for all files. Throws `workspace.path` for
 * what is too long or too much.
 */
export function pathspecs(pattern: string | undefined): string[] {
  const plain = pattern?.replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "") ?? "";
  if (plain === "" || plain === ".") return [];
  if (plain.length > LONGEST || plain.includes("\0")) throw refused(plain);
  const patterns = [plain];
  for (let i = 0; i < patterns.length;) {
    const [all, inner] = /\{([^{}]*,[^{}]*)\}/.exec(patterns[i] ?? "") ?? [];
    if (all === undefined) i++;
    else patterns.splice(i, 1, ...(inner ?? "").split(",").map((one) => (patterns[i] ?? "").replace(all, () => one)));
    if (patterns.length > MOST) throw refused(plain);
  }
  // By its name too: a folder may be called [id].
  return [`:(literal)${plain}`, ...patterns.map((one) => `:(glob)${one}`)];
}
