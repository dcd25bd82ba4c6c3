// @ts-check
import { keepEngine } from '../engine/engines.js';

const nobody = () => undefined;

/** What the engine is given to decide histories again: parts that know nothing but the event at hand. */
class Stage {
  constructor() {
    this.number = keepEngine(/** @type {any} */ (this));
    /** @type {any[]} */
    this.committed = [];
    this.store = { commit: (/** @type {any} */ change) => void this.committed.push(change) };
    /** @type {string | null} the agents that there were, where the one that was asked for was none of them */
    this.known = null;
    this.registry = {
      get: () => (this.known === null ? nobody : undefined),
      list: () => [this.known],
    };
    this.refuses = false;
    this.budget = { canSpend: () => ({ success: !this.refuses }) };
    /** @type {Record<string, boolean | number>} what expressions gave */
    this.gave = {};
  }

  commits = () => true;

  /** Between histories there is nothing to carry over. */
  carryOver() {}

  /**
   * @param {string} which
   * @param {boolean | number} value
   */
  evaluated(which, value) {
    this.gave[which] = value;
  }
}

/** @type {Stage | undefined} */
let stage;

/** The one on which all histories are decided, an event at a time. */
export function theStage() {
  stage ??= new Stage();
  return stage;
}
