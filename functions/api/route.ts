import type * as z from "zod";
import type { Deps } from "../../core/ground/deps.ts";
import { fail } from "../../core/ground/errors.ts";
import type { Cleaned } from "../../core/flow/pipeline/index.ts";
import type { Asker, ConfigState, Registry } from "../../core/work/provider/index.ts";
import type * as Body from "./body.ts";
import { Empty, parse } from "./validate.ts";

/** What a key may do; `admin` may do all of it. */
export type Scope = "read" | "write" | "run" | "admin";

/** Who calls: the operator of this machine, or the holder of a key. */
export type Caller = { kind: "operator" } | { kind: "key"; id: string; scopes: readonly Scope[] };

/** What the process that serves knows of itself. */
export type Host = {
  startedAt: number;
  /** Removes what work that is over left behind; absent where there is no repository. */
  cleanup?: (options: { dryRun: boolean; keepDays: number }) => Promise<Cleaned>;
  /** Who works for this host; absent where the process knows nobody but by the table. */
  providers?: Providers;
};

/** A host's providers. */
export type Providers = {
  registry: Registry;
  ask: Asker;
  /** How the user's files about them stand; absent where none are read. */
  config?: () => readonly ConfigState[];
};

/** A request after the guards: nothing in it is checked but its size and its type. */
export type Call = {
  deps: Deps;
  host: Host;
  caller: Caller;
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  body: Body.Sent;
  header(name: string): string | undefined;
};

/** What a handler gets: everything parsed. */
export type Input<Path extends string, Q extends z.ZodObject, B extends z.ZodObject> = Omit<
  Call,
  "params" | "query" | "body"
> & {
  params: Readonly<Record<ParamNames<Path>, string>>;
  query: z.output<Q>;
  body: z.output<B>;
  /** The query as it came, with names that no schema knows. */
  given: Call["query"];
};

/** Statuses of errors that one row has and another has not. */
export type Refused = 400 | 403 | 404 | 409 | 422 | 503;

type ParamNames<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamNames<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

type Described<Path extends string> = {
  /** The operation's name for clients, a verb and its object (`listTasks`); kept for good. */
  id: string;
  method: "GET" | "POST" | "PATCH";
  /** Hono's pattern, `:name` for a parameter. */
  path: Path;
  /** One of these is needed; `public`: no key at all. */
  scope: "public" | readonly [Scope, ...Scope[]];
  /** One line for the OpenAPI document. */
  summary: string;
  /** Of an answer that is no error; default 200. */
  status?: 200 | 201;
  /** Header fields that the handler looks at, and checks itself. */
  headers?: Readonly<Record<string, z.ZodType>>;
  /**
   * What it refuses with beside what any row does (openapi/refusals.ts), by status: an example of the sentence, or a shape of
   * its own.
   */
  refuses?: Readonly<Partial<Record<Refused, string | z.ZodType>>>;
  /** A request without a body counts as `{}`. */
  bodyOptional?: true;
  /** What is checked before the request is: throws errors of the family. */
  admit?: (call: Pick<Call, "deps" | "header">) => void;
  /** Integer fields that take no numeric strings and no `50.0` (contract 1.0). */
  strictInts?: readonly string[];
  /** Fields whose wrong word the contract reports as `value_error`, not as `enum`. */
  valueErrors?: readonly string[];
};

/** One row of the route table: enough to serve it and to describe it. */
export type Route = Described<string> & {
  query?: z.ZodObject;
  body?: z.ZodObject;
  /** A body as somebody would send it. */
  example?: unknown;
  /** What an answer that is no error looks like; OpenAPI and the tests read it, nothing is cut by it. */
  answer: z.ZodType;
  /** Parses, calls core, returns what is sent as JSON; throws errors of the family. */
  serve(call: Call): Promise<unknown>;
};

/** Makes a row of the table; its handler sees query and body in the types of their schemas and gives what `answer` says. */
export function route<
  const Path extends string,
  A extends z.ZodType,
  Q extends z.ZodObject = typeof Empty,
  B extends z.ZodObject = typeof Empty,
>(
  row: Described<Path> & {
    query?: Q;
    body?: B;
    example?: z.input<B>;
    answer: A;
    handle(input: Input<Path, Q, B>): z.input<A> | Promise<z.input<A>>;
  },
): Route {
  const { handle, ...described } = row;
  return {
    ...described,
    async serve(call) {
      row.admit?.(call);
      const { query, body } = parse<Q, B>(row, call);
      return handle({ ...call, params: call.params, query, body, given: call.query });
    },
  };
}

/** Throws `auth.scope` (403) unless the caller may use the route. */
export function authorize(row: Pick<Route, "scope">, caller: Caller): void {
  if (row.scope === "public" || caller.kind === "operator" || caller.scopes.includes("admin")) return;
  if (!row.scope.some((scope) => caller.scopes.includes(scope)))
    throw fail("auth.scope", `This key lacks the scope ${row.scope.join(" or ")}`, {
      remedy: "Use a key that has it.",
    });
}
