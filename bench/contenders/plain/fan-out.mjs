// @ts-check
/** An agent for each item of a list, eight at a time; each result is kept before the next item of its lane begins. */
import { randomUUID } from 'node:crypto';

/**
 * @param {import('../../workloads/fan-out.mjs').Wanted} wanted
 * @returns {import('../../workloads/fan-out.mjs').FanOut}
 */
export function plainFanOut({ concurrency, work }) {
  /** @type {Map<string, any>} */
  const jobs = new Map();
  const save = async (/** @type {any} */ job) => void jobs.set(job.id, job);

  /** @param {any} job @param {string} type @param {any} payload */
  const note = (job, type, payload) => {
    const seq = job.history.length + 1;
    const id = `${job.id}:${seq}`;
    const trace = { traceId: job.id, spanId: id };
    job.history.push({ id, seq, type, payload, trace, meta: { timestamp: Date.now(), source: 'plain' } });
  };

  return async (items) => {
    const job = { id: randomUUID(), status: 'running', context: { items }, history: [], outputs: [] };
    await save(job);
    let next = 0;
    const lane = async () => {
      while (next < items.length && job.status === 'running') {
        const item = next++;
        const about = { jobId: job.id, step: 'work', agent: 'work', attempt: 1, item };
        note(job, 'item_started', about);
        const output = await work(items[item]);
        /** @type {unknown[]} */ (job.outputs)[item] = output;
        note(job, 'item_completed', { jobId: job.id, step: 'work', agent: 'work', attempt: 1, item, output });
        await save(job);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    job.status = 'completed';
    note(job, 'job_completed', { jobId: job.id, status: 'completed' });
    await save(job);
    jobs.clear();
    return job.outputs;
  };
}
