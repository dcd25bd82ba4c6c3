// @ts-check
// biome-ignore-all lint/suspicious/noThenProperty: what can be awaited and is no promise is tested
/** The same hosts as a real orchestrator meets them: sometimes at once, sometimes later, sometimes odd promises. */
import { realAgents } from './agents.mjs';

/** @param {import('./random.mjs').Random} random */
export function createDelays(random) {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  /** @param {() => any} run @returns {any} */
  return function later(run) {
    switch (random.below(6)) {
      case 0:
      case 1:
        return run();
      case 2:
        return Promise.resolve().then(run);
      case 3:
        return Promise.resolve()
          .then(() => undefined)
          .then(() => undefined)
          .then(run);
      case 4:
        return turn().then(run);
      default:
        return thenable(run);
    }
  };
}

/** Not a promise, but can be awaited like one. @param {() => any} run */
function thenable(run) {
  return {
    /** @param {(value: any) => void} resolve @param {(error: any) => void} reject */
    then(resolve, reject) {
      let value;
      try {
        value = run();
      } catch (error) {
        reject(error);
        return;
      }
      resolve(value);
    },
  };
}

/** @typedef {'plain' | 'commits' | 'heads'} StoreKind what the store has beside getJob and saveJob */

/**
 * Dependencies for a real orchestrator over hosts.
 * @param {import('./hosts.mjs').Hosts} hosts
 * @param {import('./random.mjs').Random} random
 * @param {(jobId: string) => Promise<void>} held
 * @param {StoreKind} kind
 */
export function createDeps(hosts, random, held, kind) {
  const later = createDelays(random);

  /** Recorded now; what goes wrong is thrown now or later. @param {() => any} run */
  function noted(run) {
    try {
      return run();
    } catch (error) {
      if (random.chance(0.5)) throw error;
      return Promise.reject(error);
    }
  }

  class Store {
    /** @param {string} id */
    getJob(id) {
      if (!(this instanceof Store)) throw new Error('getJob was called without its store');
      return later(() => hosts.store.getJob(id));
    }
    /** @param {any} job */
    saveJob(job) {
      if (!(this instanceof Store)) throw new Error('saveJob was called without its store');
      return later(() => hosts.store.saveJob(job));
    }
  }

  class CommittingStore extends Store {
    /** @param {any} change */
    commit(change) {
      if (!(this instanceof Store)) throw new Error('commit was called without its store');
      return later(() => hosts.store.commit(change));
    }
  }

  class HeadStore extends CommittingStore {
    /** @param {string} id */
    getHead(id) {
      if (!(this instanceof Store)) throw new Error('getHead was called without its store');
      return later(() => hosts.store.getHead(id));
    }
  }

  return {
    store: new { plain: Store, commits: CommittingStore, heads: HeadStore }[kind](),
    eventBus: {
      emit: (/** @type {any[]} */ ...args) =>
        noted(() => hosts.eventBus.emit(.../** @type {[any, any]} */ (args))),
    },
    budgetManager: {
      canSpend: (/** @type {any[]} */ ...args) =>
        later(() => hosts.budgetManager.canSpend(.../** @type {[any]} */ (args))),
      recordSpend(/** @type {string} */ id, /** @type {number} */ amount) {
        hosts.budgetManager.recordSpend(id, amount);
        return later(() => undefined);
      },
    },
    performanceMonitor: {
      recordJobDuration: (/** @type {any[]} */ ...args) =>
        noted(() => hosts.performanceMonitor.recordJobDuration(.../** @type {[any, any, any]} */ (args))),
    },
    agentRegistry: realAgents(hosts, later, held),
    tools: {
      lookup: () => later(() => 'lookup was called'),
      send: { execute: () => later(() => 'send was called') },
    },
    router: (/** @type {any} */ job) => later(() => hosts.router(job)),
    clock: {
      now: () => hosts.now(),
      async sleep(/** @type {number} */ ms) {
        await new Promise((resolve) => setImmediate(resolve));
        hosts.advance(ms);
      },
    },
    logger: {},
    /** The job as it is stored, for the reference alone. */
    look: (/** @type {string} */ id) => hosts.jobs.get(id),
  };
}
