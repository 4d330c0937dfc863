/** A fenced block's text without its fences; `closed` is false when the output ended inside it. */
export type Block = { text: string; closed: boolean };

/**
 * The last fenced block with this info string, or null. Fences as in Markdown (three or more back-ticks or tildes, closed
 * by at least as many of the same), at any indentation and with any line end. A block quoted inside a longer fence is
 * content; one after a shorter or equal fence that was left open still counts, since agents forget to close them.
 */
export function lastBlock(output: string, info: string): Block | null {
  let last: Block | null = null;
  let open: { mark: string; lines: string[] | null } | null = null;
  for (const line of output.split(/\r\n|\r|\n/)) {
    // Trimmed first: the pattern must stay linear on a line of a million spaces.
    const [, mark, words] = /^(`{3,}|~{3,})([^`]*)$/.exec(line.trim()) ?? [];
    if (mark === undefined || words === undefined) {
      open?.lines?.push(line);
      continue;
    }
    const isResult = words.trim().split(/\s/)[0] === info;
    if (open !== null && words === "" && mark.startsWith(open.mark)) {
      if (open.lines !== null) last = { text: open.lines.join("\n"), closed: true };
      open = null;
    } else if (open === null || (isResult && mark.startsWith(open.mark))) {
      open = { mark, lines: isResult ? [] : null };
    } else {
      open.lines?.push(line);
    }
  }
  return open?.lines ? { text: open.lines.join("\n"), closed: false } : last;
}
