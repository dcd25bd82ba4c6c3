// @ts-check
import { invalidArgument, optionalText, optionsObject } from '../engine/arguments.js';
import { ENGINE_EVENTS } from '../engine/names.js';
import { describe } from '../parts/plain.js';
import { stepCounts } from './compare.js';
import { sha256 } from './hash.js';
import { Redactor } from './redact.js';
import { Replay } from './replay.js';
import { historyOf, readable } from './stored.js';

export const FORMAT = 'jobwright-run';
export const VERSION = 1;

/**
 * See `Orchestrator.exportJob`.
 *
 * @param {() => Promise<any>} load gives the job as the store has it
 * @param {any} options
 * @returns {AsyncGenerator<string, void, undefined>}
 */
export async function* exportJob(load, options) {
  const { redact = true, salt: given } = optionsObject(options, 'options');
  if (typeof redact !== 'boolean') {
    throw invalidArgument(`options.redact must be true or false; found ${describe(redact)}`);
  }
  const salt = optionalText(given, 'options.salt') ?? randomSalt();
  const job = await load();
  const { id, history } = historyOf(job);
  const { evaluated, reads } = evaluate(id, history);
  const plan = history[0]?.payload?.plan;
  const redactor = redact ? new Redactor(salt, reads, plan) : null;
  const head = { ...headOf(job), lines: history.length, redacted: redact };
  /** @type {string[]} */
  const lines = [];
  let before = await sha256(JSON.stringify(head));
  for (const [place, event] of history.entries()) {
    const told = redactor === null ? event : await redactor.event(event, ENGINE_EVENTS.has(event.type));
    const gave = evaluated[place] ?? {};
    const line = JSON.stringify({
      before,
      event: told,
      ...(Object.keys(gave).length > 0 && { evaluated: gave }),
    });
    lines.push(line);
    before = await sha256(line);
  }
  yield JSON.stringify({ ...head, last: before });
  yield* lines;
}

/**
 * What stands at the top of an export, but for the hash of its last line.
 *
 * @param {any} job
 */
function headOf({ id, parentId, status, permissions, timing, run }) {
  const { forkedFrom, stepsTaken = 0, steps } = run ?? {};
  const head = { format: FORMAT, version: VERSION, jobId: id, parentId, forkedFrom };
  return readable({ ...head, status, permissions, timing, stepsTaken, steps: stepCounts(steps) });
}

/** Sixteen random bytes, as hexadecimal digits. */
function randomSalt() {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * What the plan's expressions give at each event, as far as the history is what is decided; and what they read.
 *
 * @param {string} id
 * @param {any[]} history
 */
function evaluate(id, history) {
  const replay = new Replay(id, history);
  try {
    const evaluated = [];
    for (const _ of history) {
      if (replay.meet() !== null) break;
      evaluated.push(replay.evaluated);
    }
    return { evaluated, reads: replay.reads() };
  } finally {
    replay.drop();
  }
}
