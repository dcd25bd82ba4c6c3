// @ts-check
/**
 * A plain JavaScript orchestrator, as a good engineer writes it in an hour: the same operations, checks, events
 * and budget calls, nothing mutated, no WebAssembly. It keeps each job's events in its history, or doesn't.
 *
 * @param {any} deps
 * @param {{ keepHistory: boolean }} options
 */
export function createOrchestrator(deps, { keepHistory }) {
  const { store, eventBus, budgetManager, performanceMonitor, generateId } = deps;

  const notFound = () => ({ success: false, error: 'Job not found' });

  /**
   * @param {any} job
   * @param {string} type
   * @param {any} payload
   */
  const note = (job, type, payload) => {
    if (!keepHistory) return job.history;
    const seq = job.history.length + 1;
    const id = `${job.id}:${seq}`;
    const trace = { traceId: job.id, spanId: id };
    return [
      ...job.history,
      { id, seq, type, payload, trace, meta: { timestamp: Date.now(), source: 'plain' } },
    ];
  };
  const invalid = () => ({ success: false, error: 'Invalid state transition' });

  return {
    /**
     * @param {object} context
     * @param {object} permissions
     */
    async createJob(context = {}, permissions = {}) {
      const job = {
        id: generateId(),
        status: 'created',
        context: { ...context },
        permissions: { allowTools: false, requireApproval: true, maxSteps: 10, ...permissions },
        history: [],
        timing: { created: Date.now() },
      };
      await store.saveJob(job);
      return job.id;
    },

    /** @param {string} id */
    async startJob(id) {
      const job = await store.getJob(id);
      if (!job) return notFound();
      if (job.status !== 'created' && job.status !== 'paused') return invalid();
      const budget = await budgetManager.canSpend(id);
      if (!budget.success) return budget;
      const timing = { ...job.timing, started: job.timing.started ?? Date.now() };
      const payload = { jobId: id };
      const history = note(job, 'job_started', payload);
      await store.saveJob({ ...job, status: 'running', history, timing });
      eventBus.emit('job_started', payload);
      return { success: true };
    },

    /** @param {string} id */
    async pauseJob(id) {
      const job = await store.getJob(id);
      if (!job) return notFound();
      if (job.status !== 'running') return { success: false, error: 'Only running jobs can be paused' };
      const payload = { jobId: id };
      const history = note(job, 'job_paused', payload);
      await store.saveJob({ ...job, status: 'paused', history });
      eventBus.emit('job_paused', payload);
      return { success: true };
    },

    /**
     * @param {string} id
     * @param {string} status
     */
    async completeJob(id, status = 'completed') {
      const job = await store.getJob(id);
      if (!job) return notFound();
      if (job.status !== 'running') return invalid();
      const completed = Date.now();
      const payload = { jobId: id, status };
      const history = note(job, 'job_completed', payload);
      await store.saveJob({ ...job, status, history, timing: { ...job.timing, completed } });
      eventBus.emit('job_completed', payload);
      performanceMonitor.recordJobDuration(id, completed - job.timing.started, { status });
      return { success: true };
    },
  };
}
