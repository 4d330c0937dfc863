import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import fc from "fast-check";
import { expect, it } from "vitest";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import { document } from "../../../functions/api/openapi/document.ts";
import { routes } from "../../../functions/api/routes/index.ts";
import { VERSION } from "../../../functions/api/version.ts";
import { requests, type Made } from "../../support/fuzz/requests.ts";
import { api, matches, NOBODY, ORIGIN, type Answer } from "./support.ts";

/** Another seed makes other requests; the same seed the same. */
const SEED = Number(process.env.COHERENCE_TEST_SEED ?? 20260131);
/** The whole of it takes minutes. */
const RUNS = process.env.COHERENCE_TEST_FULL === "1" ? 10_000 : 1000;
/** Ms that an answer may take; a machine that is busy with all other tests is slow. */
const DEADLINE_MS = 20_000;

/** Tasks that there are from the beginning, by what was said of them. */
const STATES: readonly (object | undefined)[] = [
  undefined,
  undefined,
  undefined,
  { status: "running", worker_id: "w1" },
  { status: "running", worker_id: "w2" },
  { status: "running" },
  { status: "completed", output: "done" },
  { status: "failed", output: "broken" },
  { status: "needs_decision", decision_prompt: "which?" },
  { status: "needs_decision" },
];

const openapi = document(routes, VERSION);
const validatorOf = validators();

it(
  `${RUNS} requests made from the OpenAPI document, seed ${SEED}: each is answered in time, as the document says, never 5xx`,
  async () => {
    console.log(`COHERENCE_TEST_SEED=${SEED}, ${RUNS} requests`);
    const app = await api({
      config: { autoExecute: false, execute: { token: "t", allowUnauthenticated: false } },
      cleanup: (options) => Pipeline.cleanup(app.deps, null, options),
    });
    const inState = async (patch: object | undefined) => {
      const id = await app.create();
      if (patch) expect((await app.call("PATCH", `/api/agent/tasks/${id}`, patch)).status).toBe(200);
      return id;
    };
    const ids = [...(await Promise.all(STATES.map(inState))), NOBODY];
    await app.call("POST", "/api/agent/backlogs/b/push", { text: "1. one {#one}\n2. two {#two}\n" });
    const made = requests(openapi, {
      "tasks/{id}": ids,
      "run-state/{id}": ids,
      "backlogs/{id}": ["b", "none"],
      "items/{item}": ["one", "two", "none"],
      task_id: ids,
      run_id: ["r1", "r2"],
      worker_id: ["w1", "w2"],
      runner_id: ["w1"],
      session_key: ["s1", "s2"],
      backlog: ["b", "none"],
      text: ["1. one {#one}\n2. two {#two}\n", "1. one {#one}\n", "", "1. a {#x}\n2. b {#x}\n"],
      "idempotency-key": ["k1", "k2"],
      "x-agent-execute-token": ["t", "t", "t", "u"],
    });
    const seen = new Map<string, number>();

    await fc.assert(
      fc.asyncProperty(made, async (one) => {
        const answer = await inTime(app.call(one.method, one.path, one.body, one.headers), one);
        asDocumented(one, answer);
        for (const what of [String(answer.status), `${one.id} ${answer.status}`])
          seen.set(what, (seen.get(what) ?? 0) + 1);
      }),
      { numRuns: RUNS, seed: SEED },
    );
    // The generator is of no use when everything is refused at the door.
    for (const status of [200, 201, 400, 403, 404, 409, 415, 422, ...(RUNS < 10_000 ? [] : [413])])
      expect(seen.get(String(status)) ?? 0, `${status}`).toBeGreaterThan(0);
    const never = routes.filter((row) => !seen.has(`${row.id} ${row.status ?? 200}`)).map((row) => row.id);
    // An item that may be retried is made by no sequence of calls alone; of some others few requests are ever the right one.
    expect(never.length, never.join(", ")).toBeLessThan(RUNS < 10_000 ? routes.length / 8 : 4);
  },
  RUNS * 100 + 60_000,
);

/** Fails unless the answer is one that the document promises for this request. */
function asDocumented(one: Made, { status, headers, body, text }: Answer): void {
  const said = `${one.kind}: ${one.method} ${one.path.slice(0, 300)} ${one.body?.slice(0, 500) ?? ""} → ${status} ${text.slice(0, 500)}`;
  expect(status, said).toBeLessThan(500);
  expect(headers.get("content-type"), said).toMatch(/^application\/json/);
  if (status >= 400) expect(headers.get("x-error-code"), said).toMatch(/^[a-z_.]+$/);
  // An id may make it another path: then what is there answers, or nothing.
  const { pathname } = new URL(`${ORIGIN}${one.path}`);
  const row = routes.find((each) => matches(each.path, pathname) && each.method === one.method);
  if (row?.id === one.id) {
    const fits = validatorOf(row.id, status);
    expect(fits?.(body), `${said} ${JSON.stringify(fits?.errors)}`).toBe(true);
  } else if (!row) expect([403, 404, 405], said).toContain(status);
  // Where a token is asked for, that comes first.
  if (one.kind === "wrong") expect(row?.admit ? [403, 422] : [422], said).toContain(status);
  // What the document cannot say is a rule in words: two fields together, a line of a file.
  if (one.kind === "valid" && status === 422)
    for (const { type } of body.detail as { type: string }[]) expect(type, said).toBe("value_error");
}

/** The document's own schema for an answer of an operation; none for a status that it does not have. */
function validators(): (id: string, status: number) => ValidateFunction | undefined {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ $id: "openapi", ...openapi });
  const made = new Map<string, ValidateFunction | undefined>();
  return (id, status) => {
    const name = `${id} ${status}`;
    if (!made.has(name)) made.set(name, compiled(id, status));
    return made.get(name);
  };

  function compiled(id: string, status: number): ValidateFunction | undefined {
    for (const [path, methods] of Object.entries(openapi.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const response = operation.operationId === id ? operation.responses[status] : undefined;
        if (!response) continue;
        const at = "$ref" in response ? response.$ref : pointer("paths", path, method, "responses", String(status));
        return ajv.compile({ $ref: `openapi${at}/content/application~1json/schema` });
      }
    return undefined;
  }
}

/** Where something is in the document, as a fragment of an address. */
function pointer(...steps: string[]): string {
  return `#/${steps.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`;
}

async function inTime<T>(work: Promise<T>, one: Made): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${DEADLINE_MS} ms: ${one.method} ${one.path}`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
