/** What a scripted model does next, in words that all protocols share. */
export type Reply =
  /** A final answer. */
  | ({ kind: "text"; text: string } & Ending)
  /** A call of one of the agent's tools; `args` travels as JSON. */
  | ({ kind: "function"; name: string; args: unknown } & Ending)
  /** Several calls in one answer, after some text. */
  | ({ kind: "functions"; text?: string; thinking?: Thinking; calls: readonly Called[] } & Ending)
  /** A call of a tool whose input is plain text (codex's `apply_patch`); the Responses API alone has these. */
  | { kind: "custom"; name: string; input: string }
  /** An error answer with the protocol's error body. */
  | {
      kind: "status";
      status: number;
      type?: string;
      message?: string;
      param?: string;
      headers?: Record<string, string>;
    }
  /** Whatever a server, or something before it, may answer. */
  | { kind: "raw"; status: number; headers?: Record<string, string>; body: string }
  /** The same, but `piece` comes again and again until nobody listens any more; an empty one: nothing does. */
  | { kind: "endless"; status: number; headers?: Record<string, string>; body: string; piece: string }
  /** The stream opens with 200 and then nothing ever comes. */
  | { kind: "silence" }
  /** The request is taken and nothing is answered, not even that it was heard. */
  | { kind: "mute" }
  /** The connection is reset before anything is answered. */
  | { kind: "reset" }
  /** The stream begins an answer and the connection breaks. */
  | { kind: "cut"; text: string }
  /** The stream begins an answer and nothing more comes. */
  | { kind: "stall"; text: string }
  /** The stream begins an answer, and goes on with a chunk that is no JSON. */
  | { kind: "malformed"; text: string }
  /** The stream begins an answer and ends in good order without its end marker. */
  | { kind: "unfinished"; text: string }
  /** The stream begins an answer and then says that something is wrong. */
  | { kind: "error"; text: string; type: string };

/** `raw` goes as the arguments instead of `args`, `id` is the call's instead of one of its own. */
export type Called = { name: string; args: unknown; raw?: string; id?: string };

/** What a model thought before it answered, with what its server knows it again by. */
export type Thinking = { text: string; signature: string };

type Ending = {
  /** Why the model stopped; without it, because it was done or called a tool. */
  finish?: Finish;
  /** What it cost; false: it does not say. */
  usage?: Partial<Usage> | false;
};

export type Finish = "length" | "content-filter" | "unheard-of";

/** Tokens; `cached` and `written` are parts of `input`. `cost`: US dollars, of a server that says them. */
export type Usage = { input: number; cached: number; written: number; output: number; cost?: number };

/** What a complete answer costs where the script does not say. */
export const COST: Usage = { input: 1000, cached: 400, written: 0, output: 50 };
