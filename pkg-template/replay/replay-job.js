// @ts-check
import { invalidArgument } from '../engine/arguments.js';
import { Replay } from '../engine/replay.js';
import { describe } from '../parts/plain.js';
import { eventText, historyOf, readable, readableContext, storedJob } from './stored.js';

/**
 * See `Orchestrator.replayJob`.
 *
 * @param {import('../engine/engine.js').Engine} engine
 * @param {any} given a job, or its id
 */
export async function replayJob(engine, given) {
  if (typeof given === 'string') return replayed(await storedJob(engine, given));
  if (given === null || typeof given !== 'object') {
    throw invalidArgument(`replayJob takes a job or a job's id; found ${describe(given)}`);
  }
  return replayed(given);
}

/** @param {any} job */
function replayed(job) {
  const { id, history } = historyOf(job);
  const replay = new Replay(id);
  try {
    for (let place = 0; place < history.length; place++) {
      const difference = replay.meet(eventText(history[place], place + 1));
      if (difference !== null) return difference;
    }
    return replay.end(storedForm(job), true);
  } finally {
    replay.drop();
  }
}

/**
 * What is compared in the end.
 *
 * @param {any} job
 */
function storedForm({ status, permissions, timing, context, run }) {
  const parts = { status, permissions, timing, run: readable(run) };
  return { ...readable(parts), context: readableContext(context) };
}
