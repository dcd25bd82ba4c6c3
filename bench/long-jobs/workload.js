// @ts-check
/** What is measured of a store, in Node and in pages alike. */

const LONG = 10_000;
const SHORT = 10;
/** Short jobs are run before and after the long one, so that what slows the machine slows both. */
const SHORTS = 60;
const HEADS = 200;

const permissions = { requireApproval: false, maxSteps: 1_000_000 };

/** @param {number} size */
const planOf = (size) => ({
  concurrency: 1,
  steps: Array.from({ length: size }, (_, n) => ({ id: `s${n}`, agent: 'work' })),
});

/** A context of about a megabyte, in a thousand keys. */
const megabyte = () =>
  Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`key ${n}`, String(n).repeat(300)]));

/** @param {number[]} values */
const median = (values) => /** @type {number} */ (values.toSorted((a, b) => a - b)[values.length >> 1]);

/**
 * @param {any} createOrchestrator
 * @param {any} store
 * @returns {Promise<{ short: number, long: number, shortHead: number, longHead: number }>} microseconds per step, and per
 *   head that is loaded
 */
export async function measure(createOrchestrator, store) {
  const orchestrator = createOrchestrator({ store, agentRegistry: { work: () => 1 } });
  /** @param {number} size @param {object} context */
  const job = async (size, context) => {
    const id = await orchestrator.createJob(context, permissions, { plan: planOf(size) });
    await orchestrator.startJob(id);
    const from = performance.now();
    const outcome = await orchestrator.runJob(id);
    const ms = performance.now() - from;
    if (!outcome.success || Object.keys(outcome.job.context).length < size)
      throw new Error(`${size} steps: ${JSON.stringify(outcome).slice(0, 300)}`);
    return { id, perStep: (1_000 * ms) / size };
  };
  const shorts = async () => {
    const jobs = [];
    for (let n = 0; n < SHORTS; n++) jobs.push(await job(SHORT, {}));
    return jobs;
  };
  /** @param {string} id */
  const head = async (id) => {
    const times = [];
    for (let n = 0; n < HEADS; n++) {
      const from = performance.now();
      await store.getHead(id);
      times.push(1_000 * (performance.now() - from));
    }
    return median(times);
  };
  await shorts();
  const before = await shorts();
  const long = await job(LONG, megabyte());
  const after = await shorts();
  const all = [...before, ...after];
  const heads = { shortHead: await head(/** @type {any} */ (all[0]).id), longHead: await head(long.id) };
  await orchestrator.close();
  return { short: median(all.map(({ perStep }) => perStep)), long: long.perStep, ...heads };
}
