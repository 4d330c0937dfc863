/** What no name of ours looks like, and a key does. */
const LIKE_A_SECRET = /^sk-|^(?=.*\d).{16,}$/s;

/** `providers.codex.models[1].price.input`; the file itself is "the file". */
export function pathOf(path: readonly (string | number)[]): string {
  if (path.length === 0) return "the file";
  return path
    .map((step, i) => {
      if (typeof step === "number") return `[${step}]`;
      // A key at a name's place is not said again.
      if (LIKE_A_SECRET.test(step)) return `${i === 0 ? "" : "."}${step.slice(0, 3)}…`;
      // Names come from the file: short, and on one line.
      const name = /^[\w-]{1,60}$/.test(step) ? step : JSON.stringify(step.slice(0, 60));
      return i === 0 ? name : `.${name}`;
    })
    .join("");
}
