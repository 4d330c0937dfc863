/** `providers.codex.models[1].price.input`; the file itself is "the file". */
export function pathOf(path: readonly (string | number)[]): string {
  if (path.length === 0) return "the file";
  return path
    .map((step, i) => {
      if (typeof step === "number") return `[${step}]`;
      return i === 0 ? said(step) : `.${said(step)}`;
    })
    .join("");
}

/** What no name of ours looks like, and a key does. */
const LIKE_A_SECRET = /^sk-|^(?=.*\d).{16,}$/s;

/** A name comes from the file: short, on one line, and never whole where somebody took its place for that of a key. */
function said(name: string): string {
  if (LIKE_A_SECRET.test(name)) return `${name.slice(0, 3)}…`;
  return /^[\w-]{1,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60));
}
