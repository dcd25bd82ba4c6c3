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
 * What the rules of a plan read that decide something.
 *
 * @typedef {object} Reads
 * @property {string[][]} paths values that rules compute with
 * @property {Record<string, string[]>} lists that are only gone through, by the step that is done for their items
 * @property {boolean} all rules compute what they read: it could be anything
 */

/**
 * @param {number} replay
 * @returns {Reads}
 */
export function readsOf(replay) {
  core.replay_reads(replay);
  return JSON.parse(told);
}
