import { StringDecoder } from "node:string_decoder";

/** The longest piece of a line handed on at once, in characters. */
const LONGEST_LINE = 64 * 1024;

/** Takes chunks of one stream; `text` is what was kept of it: head, a line saying how much is left out, tail. */
export type Kept = { take(chunk: Buffer): void; text(): string };

/** Keeps `bytes` of a stream, half from its head and half from its tail. */
export function keep(bytes: number): Kept {
  const headSize = Math.ceil(bytes / 2);
  const tailSize = bytes - headSize;
  const head: Buffer[] = [];
  let headLength = 0;
  let tail: Buffer[] = [];
  let tailLength = 0;
  let left = 0;
  return {
    take(chunk) {
      const room = headSize - headLength;
      if (room > 0) {
        head.push(chunk.subarray(0, room));
        headLength += Math.min(room, chunk.length);
      }
      if (chunk.length <= room) return;
      tail.push(chunk.subarray(Math.max(0, room)));
      tailLength += chunk.length - Math.max(0, room);
      // Joined only when twice too long, so that a stream of tiny chunks costs linear time.
      if (tailLength > 2 * tailSize + LONGEST_LINE) {
        left += tailLength - tailSize;
        tail = [Buffer.from(Buffer.concat(tail).subarray(tailLength - tailSize))];
        tailLength = tailSize;
      }
    },
    text() {
      const end = Buffer.concat(tail);
      const over = Math.max(0, end.length - tailSize);
      if (left + over === 0) return Buffer.concat([...head, end]).toString("utf8");
      const first = withoutCutEnd(Buffer.concat(head)).toString("utf8");
      const last = withoutCutStart(end.subarray(over)).toString("utf8");
      return `${first}\n… ${left + over} bytes left out …\n${last}`;
    },
  };
}

/** Splits a stream into lines, whatever the borders of its chunks; `end` hands on a last line without an end. */
export function lines(onLine: (line: string) => void): { take(chunk: Buffer): void; end(): void } {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const split = () => {
    let from = 0;
    for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n", from)) {
      pieces(rest.slice(from, rest[end - 1] === "\r" && end > from ? end - 1 : end)).forEach(onLine);
      from = end + 1;
    }
    rest = rest.slice(from);
    while (rest.length > LONGEST_LINE) {
      onLine(rest.slice(0, LONGEST_LINE));
      rest = rest.slice(LONGEST_LINE);
    }
  };
  return {
    take(chunk) {
      rest += decoder.write(chunk);
      split();
    },
    end() {
      rest += decoder.end();
      split();
      if (rest !== "") onLine(rest);
    },
  };
}

function pieces(line: string): string[] {
  if (line.length <= LONGEST_LINE) return [line];
  return Array.from({ length: Math.ceil(line.length / LONGEST_LINE) }, (_, i) =>
    line.slice(i * LONGEST_LINE, (i + 1) * LONGEST_LINE),
  );
}

/** Drops a last character of which only the first bytes are there. */
function withoutCutEnd(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > bytes.length - 4 && isContinuation(bytes[start])) start--;
  const lead = bytes[start] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + length > bytes.length ? bytes.subarray(0, start) : bytes;
}

/** Drops the last bytes of a character whose first are not there. */
function withoutCutStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
