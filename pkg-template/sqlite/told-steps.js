// @ts-check
import { storedList } from '../parts/commit-rows.js';
import { cloneJson } from '../parts/plain.js';
import { shortPayload, wholePayload } from '../parts/short-payload.js';

/**
 * How a step stands after a commit, and what the commit put into the context, is mostly what an event of the same commit says
 * too. So that it is written once, the event's list has up to two things more:
 *
 * - `age`: the step stands as the event says. It began so many milliseconds before, and ended with it if it is not running.
 * - `key`: what the step gave is in the context under this key. Then `age` is null where the step stands in another way.
 *
 * @typedef {import('../parts/noted-event.js').NotedEvent} NotedEvent
 * @typedef {import('../parts/short-payload.js').StepPayload} StepPayload
 */

/**
 * Takes the events of a commit, in order, and leaves out what they say of what it changed: of both lists, so many from the
 * first on.
 *
 * @param {[string, unknown][]} context
 * @param {[string, any][]} steps
 */
export function tellSteps(context, steps) {
  let keys = 0;
  let states = 0;

  /** @param {NotedEvent} event */
  function listOf(event) {
    const payload = shortPayload(event);
    const list = storedList(event, payload);
    const { timestamp } = event;
    const step = steps[states];
    const value = context[keys];
    const isTold = step !== undefined && step[0] === stateId(event.payload) && follows(step[1], event);
    const isGiven = value !== undefined && event.more !== null && event.more.output === value[1];
    if (isTold) states += 1;
    if (isGiven) keys += 1;
    if (isTold || isGiven) list.push(isTold ? timestamp - step[1].startedAt : null);
    if (isGiven) list.push(value[0]);
    return list;
  }

  return {
    listOf,
    untold: (/** @type {string[]} */ gone) => ({
      context: context.slice(keys),
      steps: steps.slice(states),
      gone,
    }),
  };
}

/** Under which a step, or an item of it, stands. @param {StepPayload} payload */
const stateId = ({ step, item }) => (item === undefined ? step : `${step}[${item}]`);

/**
 * Is this what `stateAfter` gives?
 *
 * @param {any} state
 * @param {NotedEvent} event
 */
function follows(state, { seq, timestamp, payload }) {
  const { status, attempts, startedAt, finishedAt } = state;
  if (state.seq !== seq || status !== payload.status || attempts !== payload.attempt) return false;
  if (status !== 'running' && finishedAt !== timestamp) return false;
  // Of numbers with a fraction the difference may be cut.
  if (!(timestamp - (timestamp - startedAt) === startedAt)) return false;
  let others = status === 'running' ? -4 : -5;
  for (const _ in state) others += 1;
  return others === 0;
}

/**
 * @param {StepPayload} payload
 * @param {number} seq
 * @param {number} timestamp
 * @param {number} age
 */
function stateAfter({ status, attempt }, seq, timestamp, age) {
  const state = { status, attempts: attempt, seq, startedAt: timestamp - age };
  return status === 'running' ? state : { ...state, finishedAt: timestamp };
}

/**
 * What the events of a row say beside themselves.
 *
 * @param {any[]} events as they are written
 * @param {(part: 'context' | 'steps', key: string, value: unknown) => void} set
 */
export function readTold(events, set) {
  for (const event of events) {
    if (!Array.isArray(event) || event.length <= 5) continue;
    const [seq, , timestamp, , written, age, key] = event;
    const payload = wholePayload(written);
    if (age !== null) set('steps', stateId(payload), stateAfter(payload, seq, timestamp, age));
    if (key !== undefined) set('context', key, cloneJson(payload.output));
  }
}
