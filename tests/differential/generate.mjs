// @ts-check
/** Random jobs, plans, faults and operations, all from one seed. */
import { AGENTS } from './agents.mjs';

const KEYS = ['found', 'text', 'verdict'];

/** @param {import('./random.mjs').Random} random */
export function randomPermissions(random) {
  return {
    ...(random.chance(0.95) && { requireApproval: random.chance(0.2) }),
    ...(random.chance(0.6) && { allowTools: random.chance(0.75) }),
    ...(random.chance(0.5) && { maxSteps: random.below(9) }),
  };
}

/** @param {import('./random.mjs').Random} random @param {boolean} waits whether time may pass between attempts */
export function randomPlan(random, waits) {
  const steps = Array.from({ length: 1 + random.below(4) }, (_, at) => randomStep(random, at, waits));
  return { steps };
}

/** @param {import('./random.mjs').Random} random @param {number} at @param {boolean} waits */
function randomStep(random, at, waits) {
  return {
    id: `s${at}`,
    agent: random.chance(0.03) ? 'nobody' : random.pick(AGENTS),
    ...(random.chance(0.3) && { input: randomInput(random) }),
    ...(random.chance(0.2) && { tools: random.chance(0.5) ? ['lookup'] : ['lookup', 'send'] }),
    ...(random.chance(0.3) && { cost: random.below(5) }),
    ...(random.chance(0.15) && { approval: random.chance(0.7) }),
    ...(random.chance(0.4) && { retry: randomRetry(random, waits) }),
    ...(random.chance(0.2) && { into: random.pick(KEYS) }),
  };
}

/** @param {import('./random.mjs').Random} random @param {boolean} waits */
const randomRetry = (random, waits) => ({
  maxAttempts: 1 + random.below(4),
  ...(waits ? random.pick([{}, { backoffMs: 70, factor: 3 }, { maxBackoffMs: 1500 }]) : { backoffMs: 0 }),
});

/** @param {import('./random.mjs').Random} random */
function randomInput(random) {
  return random.pick([
    7,
    'as it is',
    { var: 'seed' },
    { var: 'deep.value' },
    { both: { var: 'seed' }, constant: true },
    { var: random.pick(KEYS) },
  ]);
}

/** @param {import('./random.mjs').Random} random */
export const randomContext = (random) => ({
  seed: random.below(100),
  deep: { value: random.pick(['x', null, 3]) },
});

let faults = 0;
/** @param {string} where */
const fault = (where) => new Error(`fault ${faults++} of ${where}`);

/** What an agent does next. @param {import('./random.mjs').Random} random */
function randomTurn(random) {
  switch (random.weighted({ plain: 5, data: 3, tool: 2, failed: 0.6, throws: 0.9 })) {
    case 'plain':
      return { kind: 'plain', value: random.pick(['text', 0, false, null, { nested: [1, 2] }, []]) };
    case 'data':
      return {
        kind: 'data',
        value: random.pick(['data', 12, { a: 1 }]),
        cost: random.pick([undefined, 0, 2, 9]),
      };
    case 'tool':
      return { kind: 'tool', tool: random.pick(['lookup', 'send']) };
    case 'failed':
      return {
        kind: 'failed',
        error: random.pick(['in words', { message: 'an object' }, fault('an agent')]),
      };
    default:
      return {
        kind: 'throws',
        error: random.chance(0.25)
          ? Object.assign(fault('an agent'), { retryable: false })
          : fault('an agent'),
      };
  }
}

/** @param {import('./random.mjs').Random} random */
function randomRoute(random) {
  if (random.chance(0.2)) return null;
  const agent = random.chance(0.04) ? 'nobody' : random.pick(AGENTS);
  if (random.chance(0.5)) return agent;
  return {
    agent,
    ...(random.chance(0.4) && { input: random.below(50) }),
    ...(random.chance(0.3) && { tools: ['lookup'] }),
    ...(random.chance(0.4) && { cost: random.below(4) }),
  };
}

/** @param {import('./random.mjs').Random} random @param {number} probability @param {() => any} make */
const sometimes = (random, probability, make) =>
  Array.from({ length: 4 }, () => (random.chance(probability) ? make() : undefined));

/**
 * What the hosts do during one batch. Loads fail only where the number of loads is fixed.
 * @param {import('./random.mjs').Random} random @param {boolean} loads
 */
export function randomScript(random, loads) {
  return {
    load: loads ? sometimes(random, 0.04, () => fault('getJob')) : [],
    save: sometimes(random, 0.04, () => fault('saveJob')),
    budget: sometimes(random, 0.12, () =>
      random.chance(0.2) ? fault('canSpend') : { success: false, error: 'Budget exceeded', own: true },
    ),
    agent: Array.from({ length: 4 }, () => randomTurn(random)),
    route: Array.from({ length: 2 }, () => (random.chance(0.04) ? fault('the router') : randomRoute(random))),
  };
}

const LIFECYCLE = {
  startJob: 6,
  pauseJob: 3,
  completeJob: 0.5,
  failJob: 0.3,
  cancelJob: 0.3,
  setPermissions: 1,
  approveStep: 2,
  rejectStep: 0.5,
};

/** An operation that is serialised with the others of its job. @param {import('./random.mjs').Random} random @param {string} id @returns {[string, any[]]} */
export function randomLifecycle(random, id) {
  const name = random.weighted(LIFECYCLE);
  if (name === 'completeJob') return [name, random.pick([[id], [id, 'completed'], [id, 'failed']])];
  if (name === 'setPermissions') return [name, [id, randomPermissions(random)]];
  if (name === 'approveStep') return [name, [id, { by: 'somebody' }]];
  if (name === 'failJob') return [name, [id, 'it is broken']];
  return [name, [id]];
}
