// @ts-check
import { invalidArgument } from '../engine/arguments.js';
import { describe } from '../parts/plain.js';
import { compareJob } from './compare.js';
import { Replay } from './replay.js';
import { historyOf, readable } from './stored.js';

/**
 * See `Orchestrator.replayJob`.
 *
 * @param {(jobId: string) => Promise<any>} load gives a job as the store has it
 * @param {any} given a job, or its id
 */
export async function replayJob(load, given) {
  if (given === null || (typeof given !== 'string' && typeof given !== 'object')) {
    throw invalidArgument(`replayJob takes a job or a job's id; found ${describe(given)}`);
  }
  const job = ownMembers(typeof given === 'string' ? await load(given) : given);
  const { id, history } = historyOf(job);
  const replay = new Replay(id, history);
  try {
    for (const _ of history) {
      const difference = replay.meet();
      if (difference !== null) return difference;
    }
    return conclude(replay, compareJob(replay, job));
  } finally {
    replay.drop();
  }
}

/**
 * Its members as they are now: each is read once.
 *
 * @param {any} job
 */
function ownMembers(job) {
  try {
    const { permissions, timing, ...others } = job;
    return { ...others, permissions: readable(permissions), timing: readable(timing) };
  } catch (error) {
    throw invalidArgument(`The job can't be read: ${describe(error)}`);
  }
}

/**
 * What a replay comes to of which all events were met.
 *
 * @param {Replay} replay
 * @param {import('./same.js').Parting | null} difference between the job and what its history comes to
 * @returns {{ ok: true, decisions: number } | import('./replay.js').Difference}
 */
export function conclude(replay, difference) {
  const missing = replay.end();
  if (missing !== null) return missing;
  if (difference !== null) return { ok: false, at: replay.met, ...difference };
  return { ok: true, decisions: replay.decisions };
}
