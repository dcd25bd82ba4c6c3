// @ts-check
import { JobwrightError } from '../parts/errors.js';

/**
 * Does something that an orchestrator which was closed can't do any more.
 *
 * @template T
 * @param {import('./engine.js').Engine} engine
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
export function open(engine, act) {
  return unusable(engine) ?? act();
}

/** @param {import('./engine.js').Engine} engine */
export function unusable({ broken, closed }) {
  if (broken === null && !closed) return null;
  return Promise.reject(broken ?? new JobwrightError('Orchestrator is closed', { code: 'closed' }));
}
