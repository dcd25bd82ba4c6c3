// @ts-check
/** How the lives of workers end: drawn from a seed. */

/**
 * @typedef {object} Fate
 * @property {number} calls after how many calls of agents; 0: however many there are
 * @property {boolean} early does not even wait until the worker is ready
 * @property {number} ms how much later, in milliseconds
 * @property {number} stopMs for how long the worker is stopped before that, so that its leases lapse; 0: it is not
 */

/** How much longer than a lease one that is ready may take to make its calls, in milliseconds. */
export const PATIENCE = 400;

/**
 * @param {import('../differential/random.mjs').Random} random
 * @param {{ leaseMs: number, isStopped: boolean }} options
 * @returns {Fate}
 */
export function drawFate(random, { leaseMs, isStopped }) {
  const stopMs = isStopped ? Math.round(leaseMs * (1.2 + random.next())) : 0;
  const kind = stopMs > 0 ? 'calls' : random.weighted({ calls: 6, ready: 2, early: 1 });
  switch (kind) {
    case 'calls':
      // A call that is told of is in the ledger; what it answers is settled and committed in the next milliseconds.
      return { calls: 1 + random.below(22), early: false, ms: random.below(12), stopMs };
    case 'ready':
      return { calls: 0, early: false, ms: random.below(400), stopMs };
    default:
      return { calls: 0, early: true, ms: random.below(300), stopMs };
  }
}
