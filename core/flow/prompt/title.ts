const LONGEST = 72;

/** A commit subject from a direction: its first line with words in it, one line of at most 72 characters. */
export function title(direction: string): string {
  const line =
    direction
      .split(/[\r\n\u2028\u2029]/)
      .map(clean)
      .find((each) => each !== "") ?? "Untitled task";
  if (line.length <= LONGEST) return line;
  const cut = line.slice(0, LONGEST - 1);
  const word = cut.lastIndexOf(" ");
  // A word boundary where one is near the end, so that a single long word still shows.
  return `${(word > LONGEST / 2 ? cut.slice(0, word) : cut.replace(/[\uD800-\uDBFF]$/, "")).trimEnd()}…`;
}

/**
 * Control and direction-changing characters go; so do marks at the beginning that git or Markdown would read
 * (`#` is a comment, `-` an option); `[skip ci]` would switch off the checks that integration waits for.
 */
function clean(line: string): string {
  return line
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zs}]+/gu, " ")
    .replace(/\[(skip ci|ci skip|no ci|skip actions|actions skip)\]/gi, "($1)")
    .replace(/^[\s#>*+\-=;]+/, "")
    .trim();
}
