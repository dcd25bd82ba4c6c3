// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { invalidArgument } from './arguments.js';
import { engineAt } from './engines.js';
import { ask, promiseOf } from './executor.js';
import { jsonForCore } from './json.js';
import { outputOf } from './record.js';
import { slotOf } from './slots.js';

const NO_ESTIMATE = -1;
const NO_AGENT = -2;
const AGENT_ERROR = -3;

const NO_ROUTER = 0;
const ROUTED_DONE = 1;
const ROUTED_STEP = 2;
const ROUTER_FAILED = 3;

/**
 * The agent of this name: from anything with `get(name)`, else an own property.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} name
 * @returns {any}
 */
export function agentNamed({ registry }, name) {
  if (registry === null) return undefined;
  const found =
    typeof registry.get === 'function'
      ? registry.get(name)
      : Object.hasOwn(registry, name)
        ? registry[name]
        : undefined;
  const isAgent = typeof found === 'function' || typeof found?.execute === 'function';
  if (found === null || found === undefined || isAgent) return found ?? undefined;
  throw new JobwrightError(
    `Agent ${describe(name)} must be a function or an object with an execute method; found ${describe(found)}`,
    { code: 'unknown_agent' },
  );
}

/**
 * @param {number} job
 * @param {number} step
 */
export function agent_find(job, step) {
  const slot = slotOf(job);
  try {
    const agent = agentNamed(slot.engine, slot.stepAt(step).agent);
    if (agent === undefined) return NO_AGENT;
    const cost = agent.metadata?.cost;
    return typeof cost === 'number' && cost >= 0 ? cost : NO_ESTIMATE;
  } catch (error) {
    slot.answer = error;
    return AGENT_ERROR;
  }
}

/** @param {number} engine */
export function agent_names(engine) {
  const { registry } = engineAt(engine);
  try {
    const names = namesIn(registry);
    return names.length === 0 ? 'none' : names.join(', ');
  } catch {
    return 'not known';
  }
}

/**
 * @param {any} registry
 * @returns {string[]}
 */
function namesIn(registry) {
  if (registry === null) return [];
  if (typeof registry.list === 'function') return [...registry.list()].map(String);
  if (registry instanceof Map) return [...registry.keys()].map(String);
  return typeof registry.get === 'function' ? ['not known'] : Object.keys(registry);
}

/** @param {number} job */
export function agent_error(job) {
  const slot = slotOf(job);
  const { answer } = slot;
  slot.answer = undefined;
  return answer;
}

/**
 * What the last round of a step gave.
 *
 * @param {number} job
 * @param {number} step
 */
export function output_of_step(job, step) {
  return outputOf(slotOf(job), step);
}

/**
 * What the items at some places gave.
 *
 * @param {number} job
 * @param {number} first
 * @param {number} count
 */
export function outputs_of_items(job, first, count) {
  const slot = slotOf(job);
  return Array.from({ length: count }, (_, item) => outputOf(slot, first + item));
}

/**
 * What a step gives that waited for a signal.
 *
 * @param {number} job
 * @param {number} seq of the event that says it came
 */
export function signal_value(job, seq) {
  const sent = slotOf(job).record.run.signals.find((/** @type {any} */ signal) => signal.seq === seq);
  return { signal: sent.name, payload: sent.payload };
}

/**
 * What a rule of a plan gave.
 *
 * @param {number} job
 * @param {string} which its key
 * @param {number} gave 1 where it holds and 0 where it doesn't; of `forEach`, how many items there are
 */
export function rule_gave(job, which, gave) {
  slotOf(job).engine.evaluated?.(which, which === 'forEach' ? gave : gave === 1);
}

/**
 * @param {number} job
 * @param {number} call
 * @param {unknown} input
 */
export function router_ask(job, call, input) {
  const slot = slotOf(job);
  const { router, store } = slot.engine;
  if (router === null) return NO_ROUTER;
  // The job as it is stored, history and all, of which the engine keeps no copy.
  const question = () => {
    const stored = store.getJob(slot.id);
    const route = (/** @type {any} */ job) => router(job, input);
    return promiseOf(stored)?.then(route) ?? route(stored);
  };
  return ask(slot, call, question, readRouted, routerFailed);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {unknown} error
 */
function routerFailed(slot, error) {
  slot.answer = error;
  return ROUTER_FAILED;
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {unknown} answer
 */
function readRouted(slot, answer) {
  try {
    return readAnswer(slot, answer);
  } catch (error) {
    return routerFailed(slot, error);
  }
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} answer
 */
function readAnswer(slot, answer) {
  if (answer === null || answer === undefined) return ROUTED_DONE;
  const asked = typeof answer === 'string' ? { agent: answer } : answer;
  const wrong = (/** @type {string} */ what) =>
    invalidArgument(
      `The router must answer an agent's name, { agent, input, tools, cost } or null; found ${what}`,
    );
  if (typeof asked !== 'object') throw wrong(describe(answer));
  const { agent, input, tools, cost } = asked;
  if (typeof agent !== 'string' || agent === '') throw wrong(`agent ${describe(agent)}`);
  if (tools !== undefined && !(Array.isArray(tools) && tools.every((tool) => typeof tool === 'string'))) {
    throw wrong(`tools ${describe(tools)}`);
  }
  if (cost !== undefined && !(typeof cost === 'number' && cost >= 0 && cost < Infinity))
    throw wrong(`cost ${describe(cost)}`);
  slot.routing = plainCopy({ agent, input, tools, cost }, "the router's answer");
  return ROUTED_STEP;
}

/** @param {number} job */
export function router_answer(job) {
  const { input, ...answer } = slotOf(job).routing;
  return jsonForCore(input === undefined ? answer : { ...answer, input: true });
}
