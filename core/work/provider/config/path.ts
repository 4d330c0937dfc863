/** `providers.codex.models[1].price.input`; the file itself is "the file". */
export function pathOf(path: readonly (string | number)[]): string {
  if (path.length === 0) return "the file";
  return path
    .map((step, i) => {
      if (typeof step === "number") return `[${step}]`;
      // Names come from the file: short, and on one line.
      const name = /^[\w-]{1,60}$/.test(step) ? step : JSON.stringify(step.slice(0, 60));
      return i === 0 ? name : `.${name}`;
    })
    .join("");
}
