import { beforeAll, describe, expect, it } from "vitest";
import { api, type Api } from "../functions/api/support.ts";
import { testDeps } from "../support/deps.ts";
import type { Body } from "./support.ts";

/** Many at once through the API: one wins, the others change nothing; what all may do loses nothing. On the machine's own clock. */

const CLAIMS = 32;
let app: Api;
beforeAll(async () => {
  app = await api({ on: await testDeps({ env: { AGENT_AUTO_EXECUTE: "0" } }) });
});
const all = <T>(n: number, one: (i: number) => Promise<T>) => Promise.all(Array.from({ length: n }, (_, i) => one(i)));
const patch = (id: string, body: Body) => app.call("PATCH", `/api/agent/tasks/${id}`, body);
const say = (verb: string, body: Body) => app.call("POST", `/api/agent/run-state/${verb}`, body);
const read = async (id: string) => (await app.call("GET", `/api/agent/tasks/${id}`)).body;

describe(`${CLAIMS} claims at once`, () => {
  it("by PATCH: one runs it, the others are 409, name the winner and change nothing", async () => {
    const id = await app.create();
    const answers = await all(CLAIMS, (i) =>
      patch(id, { status: "running", worker_id: `w${i}`, current_step: `w${i} runs`, context: { [`by_w${i}`]: true } }),
    );
    const won = answers.filter((one) => one.status === 200);
    expect(won).toHaveLength(1);
    const winner = String(won[0]?.body.claimed_by);
    const lost = answers.filter((one) => one.status !== 200);
    for (const { status, body } of lost)
      expect([status, body]).toEqual([409, { detail: expect.stringMatching(/^Task already claimed by /) as string }]);
    const task = await read(id);
    expect(task).toMatchObject({ status: "running", claimed_by: winner, current_step: `${winner} runs`, att: 1 });
    expect(Object.keys(task.context as Body).filter((key) => key.startsWith("by_w"))).toEqual([`by_${winner}`]);
    const items = await app.items(id);
    expect(items.filter((item) => item.sk.startsWith("A#"))).toMatchObject([{ owner: winner, n: 1 }]);
    // Everybody again: the table is as it was.
    const again = await all(CLAIMS, (i) =>
      `w${i}` === winner
        ? Promise.resolve(undefined)
        : patch(id, { status: "running", worker_id: `w${i}`, output: `w${i}` }),
    );
    for (const one of again) if (one) expect(one.status).toBe(409);
    expect(await app.items(id)).toEqual(items);
  });

  it("by one worker, who asked again before he was answered: all are his own", async () => {
    const id = await app.create();
    const answers = await all(8, () => patch(id, { status: "running", worker_id: "w" }));
    expect(answers.map(({ status, body }) => [status, body.claimed_by])).toEqual(Array(8).fill([200, "w"]));
    expect((await read(id)).att).toBe(1);
  });

  it("by run-state: one is granted, the others are told who has it and change nothing", async () => {
    const id = await app.create();
    const begun = await read(id);
    const answers = await all(CLAIMS, (i) =>
      say("claim", { task_id: id, run_id: `run_${i}`, worker_id: `w${i}`, branch: `b${i}` }),
    );
    expect(answers.map((one) => one.status)).toEqual(Array(CLAIMS).fill(200));
    const granted = answers.filter((one) => one.body.claimed === true);
    expect(granted).toHaveLength(1);
    const { run_id, worker_id, branch } = granted[0]?.body ?? {};
    for (const { body } of answers.filter((one) => one.body.claimed !== true))
      expect(body).toMatchObject({ claimed: false, detail: "lease_owned_by_other_worker", run_id, worker_id, branch });
    const items = await app.items(id);
    await all(CLAIMS, async (i) => {
      if (`w${i}` !== worker_id)
        await say("claim", { task_id: id, run_id: `run_${i}`, worker_id: `w${i}`, attempt: 9 });
    });
    expect(await app.items(id)).toEqual(items);
    // A lease changes no status: the task is what it was.
    const { status, claimed_by, context } = await read(id);
    expect([status, claimed_by, context]).toEqual([begun.status, begun.claimed_by, begun.context]);
  });

  it("in the runners' order, lease then PATCH: one gets both, nobody else gets either", async () => {
    const id = await app.create();
    const runs = await all(CLAIMS, async (i) => {
      const who = { task_id: id, run_id: `run_${i}`, worker_id: `w${i}` };
      const lease = await say("claim", who);
      // Whoever is denied tries all the same, as a runner that took a fault for a grant.
      const claim = await patch(id, { status: "running", worker_id: who.worker_id });
      return { i, lease: lease.body.claimed === true, claim: claim.status };
    });
    const winners = runs.filter((one) => one.lease || one.claim === 200);
    expect(winners).toMatchObject([{ lease: true, claim: 200 }]);
    expect(runs.filter((one) => one.claim === 409)).toHaveLength(CLAIMS - 1);
    expect(await read(id)).toMatchObject({ claimed_by: `w${winners[0]?.i ?? -1}`, att: 1 });
  });

  it("of both kinds, by PATCH and by run-state: who runs it finishes it, whoever has the lease does not take it", async () => {
    for (let round = 0; round < 4; round++) {
      const id = await app.create();
      await all(CLAIMS, (i) =>
        i % 2 === 0
          ? say("claim", { task_id: id, run_id: `run_${i}`, worker_id: `w${i}` })
          : patch(id, { status: "running", worker_id: `w${i}` }),
      );
      // Those with a lease go on as runners do.
      await all(CLAIMS / 2, (i) => patch(id, { status: "running", worker_id: `w${2 * i}` }));
      const { status, claimed_by, att } = await read(id);
      expect([status, att]).toEqual(["running", 1]);
      const items = await app.items(id);
      for (let i = 0; i < CLAIMS; i++) {
        if (`w${i}` === claimed_by) continue;
        expect((await patch(id, { status: "completed", worker_id: `w${i}`, output: "stolen" })).status).toBe(409);
      }
      expect(await app.items(id)).toEqual(items);
      const done = await patch(id, { status: "completed", worker_id: String(claimed_by), output: "all is done" });
      expect([done.status, done.body.claimed_by]).toEqual([200, claimed_by]);
    }
  });

  it("of one session by 16 workers: one task, one owner", async () => {
    const answers = await all(16, (i) =>
      app.call("POST", "/api/agent/tasks/upsert-active", { session_key: "s", direction: "chat", worker_id: `w${i}` }),
    );
    const won = answers.filter((one) => one.status === 200);
    expect(won).toMatchObject([{ body: { created: true } }]);
    const owner = (won[0]?.body.task as Body).claimed_by;
    for (const one of answers.filter((one) => one.status !== 200)) {
      expect(one.status, one.text).toBe(409);
      const names = [String(owner), "another worker"].map((name) => `Task already claimed by ${name}`);
      expect(names).toContain(one.body.detail);
    }
  });

  it("a finish by everybody: one end, one record", async () => {
    const id = await app.create();
    const before = (await app.call("GET", "/api/agent/metrics")).body as { success_rate: { total: number } };
    const answers = await all(CLAIMS, (i) =>
      patch(id, { status: "completed", worker_id: `w${i}`, output: `w${i} did it` }),
    );
    const won = answers.filter((one) => one.status === 200);
    expect(won).toHaveLength(1);
    for (const one of answers) if (one.status !== 200) expect(one.status).toBe(409);
    const winner = String(won[0]?.body.claimed_by);
    expect(await read(id)).toMatchObject({ status: "completed", claimed_by: winner, output: `${winner} did it` });
    const after = (await app.call("GET", "/api/agent/metrics")).body as { success_rate: { total: number } };
    expect(after.success_rate.total - before.success_rate.total).toBe(1);
  });
});

it("33. 200 context merges at once lose nothing", async () => {
  const id = await app.create({ context: { first: 0 } });
  const answers = await all(200, (i) => patch(id, { context: { [`k${i}`]: { at: i } } }));
  expect(answers.map((one) => one.status)).toEqual(Array(200).fill(200));
  const context = (await read(id)).context as Body;
  expect(context).toMatchObject({ first: 0 });
  for (let i = 0; i < 200; i++) expect(context[`k${i}`]).toEqual({ at: i });
}, 60_000);
