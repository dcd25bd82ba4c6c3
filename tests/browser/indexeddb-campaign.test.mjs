// @ts-check
/**
 * Jobs of random plans, worked on by two tabs at once, of which one after the other is closed and opened again: all of
 * them end, nothing is committed twice, and their histories decide the same again. `JOBWRIGHT_SEED=n` makes a run again.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root } from '../../scripts/process.mjs';
import { createRandom } from '../differential/random.mjs';
import { anyPlan } from '../faults/support/plans.mjs';
import { openSite } from './store-page.mjs';
import { until } from './until.mjs';

/** @typedef {import('playwright-core').Page} Page */

const limit = { timeout: 120_000 };
const JOBS = 25;
const DEATHS = 5;
const seed = Number(process.env.JOBWRIGHT_SEED ?? 1);

/** What a tab does, by chance, until all jobs have ended. */
const source = `
  import * as jobwright from 'jobwright';
  import { createIndexedDbStore } from 'jobwright/indexeddb';
  import { createRandom } from ${JSON.stringify(join(root, 'tests/differential/random.mjs'))};
  import { createWorker } from ${JSON.stringify(join(root, 'tests/faults/support/plans.mjs'))};
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const OPEN = { status: ['created', 'running', 'paused'] };

  async function act(o, random) {
    if (random.chance(0.2)) for (const id of (await o.recover()).resumed) void o.runJob(id);
    const { id, status, parentId } = random.pick(await o.listJobs(OPEN)) ?? {};
    if (id === undefined) return;
    const [approval] = (await o.getJob(id)).run?.approvals ?? [];
    if (approval) return o.approveStep(id, { approval: approval.id });
    if (status === 'created' && parentId !== undefined) return;
    if (status !== 'running') return o.startJob(id);
    if (random.chance(0.1)) return o.pauseJob(id);
    // It may wait for what is done next.
    void (random.chance(0.2) ? o.nextStep(id) : o.runJob(id));
  }

  async function live(seed) {
    const random = createRandom(seed);
    const store = await createIndexedDbStore({ name: 'campaign' });
    const { worker } = createWorker(createRandom(random.fork()), { sleep });
    const deps = { store, agentRegistry: { worker } };
    const all = [jobwright.createOrchestrator(deps), jobwright.createOrchestrator(deps)];
    globalThis.orchestrator = all[0];
    void (async () => {
      for (;;) {
        await act(random.pick(all), random);
        await sleep(random.below(4));
      }
    })();
  }
  globalThis.kit = { live };
  globalThis.openRoots = async () =>
    (await orchestrator.listJobs(OPEN)).filter(({ parentId }) => parentId === undefined).length;
`;

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;

before(async () => {
  site = await openSite(source);
}, limit);

after(() => site?.close());

/** @param {Page} page @param {number} seed */
const live = (page, seed) => page.evaluate((seed) => /** @type {any} */ (globalThis).kit.live(seed), seed);

/** @param {any} job */
function assertOnce({ id, history }) {
  const ends = new Set();
  for (const [place, { seq, type, payload }] of history.entries()) {
    assert.equal(seq, place + 1, `${id}: a gap`);
    if (!/^(step|item|round)_completed$/.test(type)) continue;
    const end = [type, payload.step, payload.item, payload.round].join();
    assert.ok(!ends.has(end), `${id}: ${end} twice`);
    ends.add(end);
  }
}

test(`random jobs in two tabs that come and go, seed ${seed}`, limit, async () => {
  const random = createRandom(seed);
  const plans = Array.from({ length: JOBS }, () => anyPlan(random));
  const problems = /** @type {string[]} */ ([]);
  const open = async () => {
    const page = await site.openPage();
    page.on('pageerror', (error) => problems.push(String(error.stack ?? error)));
    await live(page, random.fork());
    return page;
  };
  const pages = [await open(), await open()];
  await pages[0]?.evaluate(async (plans) => {
    const { orchestrator } = /** @type {any} */ (globalThis);
    for (const [n, plan] of plans.entries())
      await orchestrator.createJob({ given: 1 }, { requireApproval: false }, { id: `j${n}`, plan });
  }, plans);
  for (let deaths = 0; deaths < DEATHS; deaths += 1) {
    const at = random.below(2);
    const [dying, other] = /** @type {[Page, Page]} */ (at === 0 ? pages : [pages[1], pages[0]]);
    const left = Math.floor((JOBS * (DEATHS - deaths)) / (DEATHS + 1));
    await until(other, async (left) => (await /** @type {any} */ (globalThis).openRoots()) <= left, left);
    await dying.close();
    pages[at] = await open();
  }
  const page = /** @type {Page} */ (pages[0]);
  await until(page, async () => (await /** @type {any} */ (globalThis).openRoots()) === 0);
  const found = await page.evaluate(async (count) => {
    const { orchestrator } = /** @type {any} */ (globalThis);
    const ids = Array.from({ length: count }, (_, n) => `j${n}`);
    return Promise.all(
      ids.map(async (id) => ({
        job: await orchestrator.getJob(id),
        replay: await orchestrator.replayJob(id),
      })),
    );
  }, JOBS);
  for (const { job, replay } of found) {
    assert.ok(replay.ok, `${job.id}: ${JSON.stringify(replay)}`);
    assertOnce(job);
  }
  assert.deepEqual(problems, []);
  await Promise.all(pages.map((page) => page.close()));
});
