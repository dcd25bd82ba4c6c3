// @ts-check
/**
 * The outside of both worlds: a store, a bus, a budget manager, a monitor, agents and a router that do what a
 * script says and record what they were asked. They are synchronous; `delays.mjs` makes them late.
 *
 * A script holds, per job, what the next calls of each kind do: `{ load: [], save: [], budget: [], agent: [],
 * route: [] }`. An empty list means that all goes well, so both worlds meet the same faults as long as they ask
 * the same things of the same job in the same order.
 */

/** @typedef {{ load: any[], save: any[], budget: any[], agent: any[], route: any[] }} Script */
/** @typedef {ReturnType<typeof createHosts>} Hosts */

/** @returns {Script} */
const emptyScript = () => ({ load: [], save: [], budget: [], agent: [], route: [] });

/** @param {any} value @returns {any} frozen all the way down */
export function deepFreeze(value) {
  if (value === null || typeof value !== 'object' || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key of Object.keys(value)) deepFreeze(value[key]);
  return value;
}

/** A job with a change put to it. @param {any} change @param {any} before */
function apply(change, before) {
  const plan = change.plan ?? before?.run?.plan;
  return {
    ...change.head,
    context: { ...before?.context, ...change.context },
    history: [...(before?.history ?? []), ...change.events],
    run: { ...change.head.run, ...(plan && { plan }), steps: { ...before?.run?.steps, ...change.steps } },
  };
}

/** @param {{ faultyBus: boolean, faultyMonitor: boolean }} options */
export function createHosts(options) {
  /** @type {Map<string, any>} */
  const jobs = new Map();
  /** @type {Map<string, Script>} */
  const scripts = new Map();
  /** @type {Map<string, any[]>} */
  const records = new Map();
  let time = 1_700_000_000_000;

  /** @param {string} id */
  const scriptOf = (id) => /** @type {Script} */ (scripts.get(id) ?? emptyScript());

  /** @param {string} id @param {any[]} record */
  function note(id, ...record) {
    const list = records.get(id);
    if (list) list.push(record);
    else records.set(id, [record]);
  }

  /** @param {Error | undefined} fault */
  function fail(fault) {
    if (fault) throw fault;
  }

  const store = {
    /** @param {string} id */
    getJob(id) {
      fail(scriptOf(id).load.shift());
      return jobs.get(id) ?? null;
    },
    /** @param {any} job */
    saveJob(job) {
      fail(scriptOf(job.id).save.shift());
      jobs.set(job.id, deepFreeze(job));
    },
    /** A job without what grows. @param {string} id */
    getHead(id) {
      const job = jobs.get(id);
      if (!job) return null;
      const { context, history, run, ...head } = job;
      const { plan, steps, ...small } = run ?? {};
      return run === undefined ? head : { ...head, run: small };
    },
    /** For stores that are sent only what changed. @param {any} change */
    commit(change) {
      fail(scriptOf(change.jobId).save.shift());
      const before = jobs.get(change.jobId);
      const revision = before?.run?.revision ?? 0;
      if (change.expectedRevision !== revision) {
        throw new Error(
          `expected revision ${change.expectedRevision} of ${change.jobId}, which is at ${revision}`,
        );
      }
      jobs.set(change.jobId, deepFreeze(apply(change, before)));
    },
  };

  const eventBus = {
    /** @param {string} type @param {any} payload */
    emit(type, payload, /** @type {any[]} */ ...more) {
      note(payload.jobId, 'event', type, payload, ...more);
      if (options.faultyBus) throw new Error('the bus is down');
    },
  };

  const budgetManager = {
    /** @param {string} id @param {number[]} cost */
    canSpend(id, ...cost) {
      note(id, 'canSpend', ...cost);
      const verdict = scriptOf(id).budget.shift();
      if (verdict instanceof Error) throw verdict;
      return verdict ?? { success: true };
    },
    /** @param {string} id @param {number} amount */
    recordSpend(id, amount) {
      if (amount) note(id, 'recordSpend', amount);
    },
  };

  const performanceMonitor = {
    /** @param {string} id @param {number} ms @param {object} tags @param {any[]} more */
    recordJobDuration(id, ms, tags, ...more) {
      note(id, 'monitor', ms, tags, ...more);
      if (options.faultyMonitor) throw new Error('the monitor is down');
    },
  };

  /** @param {string} name @param {any} input @param {any} context the part of it that is compared */
  function noteAgent(name, input, { jobId, step, attempt, permissions }) {
    note(jobId, 'agent', name, input ?? null, { step, attempt, permissions });
  }

  return {
    jobs,
    scripts,
    store,
    eventBus,
    budgetManager,
    performanceMonitor,
    noteAgent,
    scriptOf,
    note,
    /** What the router says: the next of the script, or that the job is done. @param {any} job */
    router(job) {
      const answer = scriptOf(job.id).route.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? null;
    },
    now: () => time,
    /** @param {number} ms */
    advance(ms) {
      time += ms;
    },
    /** What was recorded of a job since the last time this was asked. @param {string} id */
    takeRecords(id) {
      const list = records.get(id) ?? [];
      records.delete(id);
      return list;
    },
  };
}
