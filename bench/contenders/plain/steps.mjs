// @ts-check
/**
 * Plain JavaScript that runs the steps of a plan one after the other, as a good engineer writes it in an hour: the
 * same checks, the same history, the same events on the bus, and each result is saved before the next step begins.
 * A run reads the job once; where `saveStart` is set, that a step has begun is saved too.
 *
 * @param {any} deps
 * @param {{ saveStart?: boolean }} [options]
 */
export function createOrchestrator(deps, { saveStart = false } = {}) {
  const { store, eventBus, agents, generateId } = deps;

  /** @param {any} job @param {string} type @param {any} payload */
  const note = (job, type, payload) => {
    const seq = job.history.length + 1;
    const id = `${job.id}:${seq}`;
    const trace = { traceId: job.id, spanId: id };
    job.history.push({ id, seq, type, payload, trace, meta: { timestamp: Date.now(), source: 'plain' } });
    return payload;
  };

  /** @param {any} job @param {string} status @param {any} [failure] */
  const end = async (job, status, failure) => {
    const payload = note(job, `job_${status}`, { jobId: job.id, status });
    Object.assign(job, { status, failure });
    job.timing.completed = Date.now();
    await store.saveJob(job);
    eventBus.emit(`job_${status}`, payload);
    return failure === undefined ? { success: true, status, job } : { success: false, error: failure };
  };

  /** @param {any} job @param {any} step @param {unknown} input */
  const runStep = async (job, step, input) => {
    const { id: jobId, context, permissions } = job;
    const { id, agent } = step;
    const started = { jobId, step: id, agent, attempt: 1, status: 'running', input };
    note(job, 'step_started', started);
    if (saveStart) await store.saveJob(job);
    eventBus.emit('step_started', started);
    const output = await agents[agent](input, { jobId, step: id, attempt: 1, context, permissions });
    job.context[id] = output;
    job.next += 1;
    const completed = { jobId, step: id, agent, attempt: 1, status: 'done', output };
    note(job, 'step_completed', completed);
    await store.saveJob(job);
    eventBus.emit('step_completed', completed);
    return output;
  };

  return {
    /** @param {object} context @param {object} permissions @param {any} plan @param {object} [more] */
    async createJob(context, permissions, plan, more) {
      const job = {
        id: generateId(),
        status: 'created',
        context: { ...context },
        permissions: { allowTools: false, requireApproval: true, maxSteps: 10, ...permissions },
        history: [],
        timing: { created: Date.now() },
        plan,
        next: 0,
        ...more,
      };
      if (plan !== undefined) note(job, 'job_created', { plan, permissions: job.permissions, context });
      await store.saveJob(job);
      return job.id;
    },

    /** @param {string} id */
    async startJob(id) {
      const job = await store.getJob(id);
      if (!job) return { success: false, error: 'Job not found' };
      if (job.status !== 'created' && job.status !== 'paused')
        return { success: false, error: 'Invalid state' };
      job.status = 'running';
      job.timing.started ??= Date.now();
      const payload = note(job, 'job_started', { jobId: id });
      await store.saveJob(job);
      eventBus.emit('job_started', payload);
      return { success: true };
    },

    /** @param {string} id @param {unknown} [given] */
    async runJob(id, given) {
      const job = await store.getJob(id);
      if (!job) return { success: false, error: 'Job not found' };
      if (job.status !== 'running') return { success: false, error: 'Job not running' };
      let input = given;
      while (job.next < job.plan.steps.length) {
        const step = job.plan.steps[job.next];
        if (job.status !== 'running') return { success: false, error: `Job ${job.status}` };
        if (job.next >= job.permissions.maxSteps) return end(job, 'failed', 'Step limit reached');
        if (job.permissions.requireApproval) return end(job, 'failed', 'Approval required');
        if (agents[step.agent] === undefined) return end(job, 'failed', `Unknown agent ${step.agent}`);
        try {
          input = await runStep(job, step, input);
        } catch (error) {
          return end(job, 'failed', String(error));
        }
      }
      return end(job, 'completed');
    },
  };
}

/** Jobs in a Map, as they are. */
export function objectStore() {
  /** @type {Map<string, any>} */
  const jobs = new Map();
  return {
    saveJob: async (/** @type {any} */ job) => void jobs.set(job.id, job),
    getJob: async (/** @type {string} */ id) => jobs.get(id),
    clear: () => jobs.clear(),
  };
}

/** Jobs in a Map, as JSON. */
export function jsonStore() {
  /** @type {Map<string, string>} */
  const jobs = new Map();
  return {
    saveJob: async (/** @type {any} */ job) => void jobs.set(job.id, JSON.stringify(job)),
    getJob: async (/** @type {string} */ id) => JSON.parse(jobs.get(id) ?? 'null'),
    clear: () => jobs.clear(),
  };
}
