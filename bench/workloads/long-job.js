// @ts-check
/**
 * What is measured of a store, in Node and in pages alike. Short jobs are run before and after the long one, so that
 * what slows the machine slows both.
 *
 * @typedef {{ long: number, short: number, shorts: number, heads: number, context: boolean }} Sizes
 */

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
 * @param {Sizes} sizes
 * @returns {Promise<Record<string, number>>} microseconds per step, and per head that is loaded
 */
export async function measure(createOrchestrator, store, { long, short, shorts, heads, context }) {
  let calls = 0;
  const orchestrator = createOrchestrator({ store, agentRegistry: { work: () => ++calls } });
  /** @param {number} size @param {object} begin */
  const job = async (size, begin) => {
    calls = 0;
    const id = await orchestrator.createJob(begin, permissions, { plan: planOf(size) });
    await orchestrator.startJob(id);
    const from = performance.now();
    const outcome = await orchestrator.runJob(id);
    const ms = performance.now() - from;
    const done = Object.keys(outcome.job?.context ?? {}).length === size + Object.keys(begin).length;
    if (!outcome.success || calls !== size || !done)
      throw new Error(`${size} steps: ${JSON.stringify(outcome).slice(0, 300)}`);
    return { id, perStep: (1_000 * ms) / size };
  };
  const several = async () => {
    const jobs = [];
    for (let n = 0; n < shorts; n++) jobs.push(await job(short, {}));
    return jobs;
  };
  /** @param {string} id */
  const head = async (id) => {
    const times = [];
    for (let n = 0; n < heads; n++) {
      const from = performance.now();
      await store.getHead(id);
      times.push(1_000 * (performance.now() - from));
    }
    return median(times);
  };
  await several();
  const before = await several();
  const last = await job(long, context ? megabyte() : {});
  const all = [...before, ...(await several())];
  const figures = {
    'step of 10': median(all.map(({ perStep }) => perStep)),
    'step of 10,000': last.perStep,
    'head of 10': await head(/** @type {any} */ (all[0]).id),
    'head of 10,000': await head(last.id),
  };
  await orchestrator.close();
  return figures;
}
