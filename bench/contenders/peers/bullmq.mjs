// @ts-check
/** A job whose data says how far it is, and is updated after each step; on Redis, with a log that is synced each second. */
import { loadPeer } from '../../harness/peers.mjs';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @param {{ url: string }} given
 * @returns {Promise<import('../../workloads/plan-of-steps.mjs').Runner>}
 */
export async function bullmqRunner({ plan, work }, { url }) {
  const { Queue, QueueEvents, Worker } = await loadPeer('bullmq');
  const { hostname: host, port } = new URL(url);
  const connection = { host, port: Number(port), maxRetriesPerRequest: null };
  const name = `bench-${process.pid}`;
  const process_ = async (/** @type {any} */ job) => {
    let { next, last, context } = job.data;
    for (; next < plan.steps.length; next++) {
      last = await work(last);
      context = { ...context, [plan.steps[next]?.id ?? '']: last };
      await job.updateData({ next: next + 1, last, context });
    }
    return context;
  };
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  const worker = new Worker(name, process_, { connection, concurrency: 50 });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  return {
    create: async () => undefined,
    run: async () => {
      const job = await queue.add('steps', { next: 0, context: {} });
      return { context: await job.waitUntilFinished(events) };
    },
    close: () => Promise.all([worker.close(), events.close(), queue.close()]),
  };
}
