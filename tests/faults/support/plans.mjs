// @ts-check
/** Small plans of every kind of step, by chance, and the agent that does their work. */

/** @typedef {import('../../differential/random.mjs').Random} Random */

const IDS = ['a', 'b', 'c', 'd'];

/** @param {Random} random @param {string} id @returns {any} */
function anyStep(random, id) {
  const step = { id, agent: 'worker' };
  switch (random.below(14)) {
    case 0:
      return { id, wait: { ms: 1 + random.below(50) } };
    case 1:
      return { id, approve: {} };
    case 2:
      return { ...step, forEach: [1, 2, 3].slice(random.below(3)) };
    case 3:
      return { ...step, repeat: { until: { '>': [{ var: `${id}.n` }, 1] }, max: 3 } };
    case 4:
      return { ...step, approval: true };
    case 5:
      return { id, job: { plan: { steps: [{ id: 'inner', agent: 'worker' }] } } };
    default:
      return step;
  }
}

/** @param {Random} random */
export function anyPlan(random) {
  // Most are very small, so that there can be very many.
  const ids = IDS.slice(0, random.pick([1, 1, 1, 1, 2, 2, 3, 4]));
  const steps = ids.map((id, place) => {
    const step = anyStep(random, id);
    if (random.chance(0.6)) step.after = ids.slice(0, place).filter(() => random.chance(0.5));
    if (random.chance(0.3)) step.onError = 'continue';
    if (random.chance(0.15)) step.when = { '>': [{ var: `${ids[0]}.n` }, 0] };
    if (step.agent && random.chance(0.4)) step.retry = { maxAttempts: 3, backoffMs: 10 };
    return step;
  });
  return { concurrency: 1 + random.below(3), steps };
}

/**
 * An agent that keeps a ledger of what it was asked and what it answered.
 *
 * @param {Random} random
 * @param {{ sleep(ms: number, signal?: AbortSignal): Promise<unknown> }} clock
 */
export function createWorker(random, clock) {
  /** @type {Map<string, { place: string, outputs: string[] }>} by idempotency key */
  const ledger = new Map();

  /** @param {any} _ @param {any} context */
  async function worker(_, { jobId, step, item, idempotencyKey, signal }) {
    const place = JSON.stringify([jobId, step, item ?? null]);
    const entry = ledger.get(idempotencyKey) ?? { place, outputs: [] };
    ledger.set(idempotencyKey, entry);
    if (entry.place !== place) throw new Error(`one key for ${entry.place} and ${place}`);
    if (random.chance(0.3)) await clock.sleep(random.below(30), signal);
    if (random.chance(0.12)) throw new Error('not today');
    const output = { n: random.below(4), call: random.fork() };
    entry.outputs.push(JSON.stringify(output));
    return output;
  }

  return { worker, ledger };
}
