// @ts-check
/** A source of the page over an orchestrator in the same page. */

/**
 * @param {any} orchestrator
 * @param {any} store
 * @param {any} budgetManager
 */
export function sourceOver(orchestrator, store, budgetManager) {
  const o = orchestrator;
  const run = (/** @type {string} */ id) => void o.runJob(id).catch(() => undefined);
  const refused = async () => ({ success: false, error: 'Not here' });
  const thenRun =
    (/** @type {any} */ operation) => async (/** @type {string} */ id, /** @type {any} */ answer) => {
      const outcome = await operation(id, answer);
      if (outcome.success) run(id);
      return outcome;
    };
  async function* changes(/** @type {AbortSignal} */ signal) {
    for await (const event of o.events(undefined, { signal })) {
      const { jobId } = event.payload ?? {};
      const head = typeof jobId === 'string' ? await getHead(jobId) : null;
      if (head === null) continue;
      const { status, parentId, run: { revision = 0 } = {} } = head;
      yield { type: 'job', jobId, status, revision, ...(parentId !== undefined && { parentId }) };
    }
  }
  const getHead = (/** @type {string} */ id) => store.getHead(id);
  return {
    home: 'tab',
    name: 'the test',
    access: { steer: true, create: true, run: true, redacted: false },
    listJobs: (/** @type {any} */ filter) => o.listJobs(filter),
    getHead,
    getJob: (/** @type {string} */ id) => o.getJob(id),
    health: () => o.health(),
    isPaused: async () => false,
    getBudget: async (/** @type {string} */ id) => budgetManager.getBudget(id),
    events: (/** @type {string} */ id, /** @type {any} */ options) => o.events(id, options),
    changes,
    createJob: refused,
    startJob: thenRun(o.startJob),
    pauseJob: o.pauseJob,
    stepJob: refused,
    cancelJob: o.cancelJob,
    approveStep: thenRun(o.approveStep),
    rejectStep: thenRun(o.rejectStep),
    signal: o.signal,
    setBreakpoints: o.setBreakpoints,
    setPermissions: o.setPermissions,
  };
}
