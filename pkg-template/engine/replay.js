// @ts-check
import { core } from './core.js';
import { jsonForCore } from './json.js';

let event = '';
/** @type {unknown} */
let value;
let told = '';

export const replay_event = () => event;

export const replay_value = () => value;

/** @param {string} answer */
export function replay_told(answer) {
  told = answer;
}

/**
 * Lets the core decide what an event tells of. What follows is committed to the stage of the replay.
 *
 * @param {number} replay
 * @param {object} told the event, without what it carries
 * @param {unknown} carried an output, an input, a payload, or an agent's own event
 * @returns {{ decided: boolean, refused: string | null }}
 */
export function meetEvent(replay, { ...about }, carried) {
  event = jsonForCore(about);
  value = carried;
  const met = core.replay_meet(replay);
  event = '';
  value = undefined;
  return { decided: met === 1, refused: met < 0 ? told : null };
}

/**
 * What the rules of the plan read that decide something: paths, of which those that are only gone through stand apart,
 * or all there is.
 *
 * @param {number} replay
 * @returns {{ paths: string[][], lists: string[][], all: boolean }}
 */
export function readsOf(replay) {
  core.replay_reads(replay);
  return JSON.parse(told);
}
