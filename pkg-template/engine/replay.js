// @ts-check
import { core } from './core.js';
import { jsonForCore } from './json.js';

/**
 * Where a history and what is decided from it part.
 *
 * @typedef {{ ok: false, at: number, expected: unknown, actual: unknown }} Difference
 */

let text = '';
let told = '';

export const replay_text = () => text;

/** @param {string} answer JSON */
export function replay_told(answer) {
  told = answer;
}

const MEET = 0;
const END = 1;
const END_OF_LINES = 2;
const READS = 3;
const STATE = 4;

/** A history that the core decides again, event by event. It must be dropped in the end. */
export class Replay {
  /**
   * @param {string} jobId
   * @param {boolean} [redacted]
   */
  constructor(jobId, redacted = false) {
    text = jobId;
    this.number = core.replay_new(redacted);
    text = '';
    this.met = 0;
    /** @type {Record<string, boolean | number | null>} what the plan's expressions gave for the latest event */
    this.evaluated = {};
  }

  /**
   * @param {number} what
   * @param {string} [about] JSON
   * @returns {{ met: boolean, answer: any }}
   */
  ask(what, about = '') {
    text = about;
    const met = core.replay_ask(this.number, what);
    const answer = JSON.parse(told);
    text = '';
    told = '';
    return { met, answer };
  }

  /**
   * @param {string} event JSON of the next one
   * @returns {Difference | null}
   */
  meet(event) {
    const { met, answer } = this.ask(MEET, event);
    if (!met) return { ok: false, ...answer };
    this.met += 1;
    this.evaluated = answer;
    return null;
  }

  /**
   * The history ends here, and this is what became of the job.
   *
   * @param {unknown} job all of it, or what the head of an exported history says of it
   * @param {boolean} isWhole
   * @returns {{ ok: true, decisions: number } | Difference}
   */
  end(job, isWhole) {
    const { met, answer } = this.ask(isWhole ? END : END_OF_LINES, jsonForCore(job));
    return met ? { ok: true, decisions: answer } : { ok: false, ...answer };
  }

  /**
   * The paths in the context that decisions read, those that are read as lists to go through, and whether all is read.
   *
   * @returns {{ paths: string[][], lists: string[][], all: boolean }}
   */
  reads() {
    return this.ask(READS).answer;
  }

  /** What was decided so far, as it stands in a job's `run`, and the permissions. */
  state() {
    return this.ask(STATE).answer;
  }

  drop() {
    core.replay_drop(this.number);
  }
}
