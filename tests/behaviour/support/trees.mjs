// @ts-check
/** Random trees of jobs, and processes that die: what holds for a tree holds whatever happens to it. */
import { createDelays } from '../../differential/delays.mjs';
import { jobwright } from '../../differential/subject.mjs';
import { createClock } from './clock.mjs';

const { createOrchestrator } = jobwright;

/** Long enough for everything to come to rest that no timer is set for. */
export async function rest(turns = 60) {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * Parts of a host of which each call takes its time, until the process dies: then nothing answers any more.
 * @param {import('../../differential/random.mjs').Random} random
 */
export function createProcess(random) {
  const later = createDelays(random);
  let left = Infinity;
  let isCutOff = false;
  /** @param {any} part @param {string[]} methods */
  const wrap = (part, methods) => {
    const wrapped = { ...part };
    for (const method of methods) {
      wrapped[method] = (/** @type {any[]} */ ...args) => {
        left -= 1;
        if (left < 0) return new Promise(() => {});
        return Promise.resolve(
          later(() => {
            if (isCutOff) throw new Error('the store can not be reached');
            return part[method](...args);
          }),
        ).then((answer) => (left < 0 ? new Promise(() => {}) : answer));
      };
    }
    return wrapped;
  };
  return {
    wrap,
    /** @param {number} calls how many more it may make */
    dieAfter: (calls) => {
      left = calls;
    },
    isAlive: () => left >= 0,
    /** @param {boolean} cut whether what is wrapped can't be reached from now on */
    cutOff: (cut) => {
      isCutOff = cut;
    },
  };
}

const LEASES = ['acquireLease', 'renewLease', 'releaseLease'];
const METHODS = ['getJob', 'getHead', 'commit', 'saveJob', 'listJobs', ...LEASES];

/** A store in memory. When a process has died, `endLeases` lets the time pass in which its leases end. */
export function createMortalStore() {
  let passed = 0;
  const endLeases = () => {
    passed += 3_600_000;
  };
  return { ...jobwright.createMemoryStore({ now: () => Date.now() + passed }), endLeases };
}

/**
 * An orchestrator in a process of its own.
 * @param {import('../../differential/random.mjs').Random} random @param {any} store @param {any} deps
 */
export function createHome(
  random,
  store,
  { books, note = (/** @type {any} */ manager) => manager, ...deps },
) {
  const process = createProcess(random);
  const orchestrator = createOrchestrator({
    store: process.wrap(store, METHODS),
    clock: createClock(),
    ...deps,
    ...(books !== undefined && {
      budgetManager: note(jobwright.createBudgetManager({ store: process.wrap(books, ['get', 'set']) })),
    }),
  });
  return { ...orchestrator, process };
}

/**
 * Steps of a plan: agents, and jobs of such steps.
 * @param {import('../../differential/random.mjs').Random} random
 * @param {number} depth @param {(random: any) => any} more of an agent's step @param {(random: any) => any} given to a job
 * @returns {any[]}
 */
export function randomSteps(random, depth, more = () => ({}), given = () => ({})) {
  const side = random.chance(0.5);
  return Array.from({ length: 1 + random.below(3) }, (_, place) => {
    const at = { id: `s${place}`, ...(side && { after: [] }) };
    if (depth > 0 && random.chance(0.3)) {
      const job = { plan: { steps: randomSteps(random, depth - 1, more, given) }, ...given(random) };
      return { ...at, job, ...(random.chance(0.3) && { forEach: [1, 2] }), onError: 'continue' };
    }
    const items = random.chance(0.2) && { forEach: [1, 2, 3] };
    return { ...at, agent: 'work', ...items, ...more(random) };
  });
}
