import { parseJson } from "./json.ts";

/** The process room hands on longer lines in pieces of this many characters. */
const PIECE = 64 * 1024;

/** The longest event that is put together again, in characters; a longer one is dropped. */
const LONGEST_EVENT = 32 * 1024 * 1024;

/** Puts events together that came in pieces, and calls `whole` with each. */
export function joinPieces(whole: (line: string) => void): (piece: string) => void {
  let pieces: string[] = [];
  let length = 0;
  return (piece) => {
    pieces.push(piece);
    length += piece.length;
    // A full piece is a line's last one only where the line's length is a multiple of it.
    const more = piece.length === PIECE && !(piece.endsWith("}") && parseJson(pieces.join("")) !== null);
    if (more && length <= LONGEST_EVENT) return;
    const line = pieces.join("");
    pieces = [];
    length = 0;
    whole(line);
  };
}
