// @ts-check
import { NonRetryableError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';

/**
 * @typedef {import('../index.d.ts').AgentContext} AgentContext
 * @typedef {import('./index.d.ts').ScriptedCall} ScriptedCall
 * @typedef {import('./index.d.ts').ScriptedAgent} ScriptedAgent
 */

/**
 * An agent that answers its calls, whoever makes them, with one output after the other.
 *
 * @param {readonly unknown[]} outputs
 * @returns {ScriptedAgent}
 */
export function scriptedAgent(outputs) {
  if (!Array.isArray(outputs)) {
    throw new TypeError(`scriptedAgent: outputs: expected an array, found ${describe(outputs)}`);
  }
  const script = [...outputs];
  for (const output of script) {
    // A rejection that is waiting for its turn is no unhandled one.
    if (output instanceof Promise) output.catch(() => {});
  }
  /** @type {ScriptedCall[]} */
  const calls = [];

  /** @type {(input: unknown, context: AgentContext) => unknown} */
  const agent = (input, context) => {
    calls.push(callOf(input, context));
    if (calls.length > script.length) throw usedUp(script.length, calls);
    const output = script[calls.length - 1];
    if (typeof output === 'function') return output(input, context);
    if (isError(output)) throw output;
    return output;
  };
  return Object.assign(agent, { calls });
}

/**
 * @param {unknown} input
 * @param {AgentContext | undefined} context not there where a test calls the agent itself
 * @returns {ScriptedCall}
 */
function callOf(input, context) {
  const { attempt = 1, step, jobId, idempotencyKey } = context ?? {};
  return { input, attempt, step, jobId, idempotencyKey };
}

/**
 * @param {number} length
 * @param {ScriptedCall[]} calls
 */
function usedUp(length, calls) {
  const { step, attempt } = /** @type {ScriptedCall} */ (calls.at(-1));
  const by = step === undefined ? '' : `, attempt ${attempt} at step ${describe(step)}`;
  const had = `${length === 0 ? 'no' : length} ${length === 1 ? 'output' : 'outputs'}`;
  return new NonRetryableError(`The script of this agent has ${had}; this is call ${calls.length}${by}`);
}

/**
 * Runners that give each test file a context of its own have errors that are no instances of this one's Error.
 *
 * @param {unknown} thing
 */
function isError(thing) {
  return thing instanceof Error || Object.prototype.toString.call(thing) === '[object Error]';
}
