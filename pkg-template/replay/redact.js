// @ts-check
import { HASHED, sha256 } from './hash.js';

/** What is said of steps that were cut off because their job ended. */
export const CANCELLED = 'Job cancelled';

/**
 * What stays of a value: all of it, or only some members, by key. Of a list or an object of which something stays, the
 * length and the keys do.
 *
 * @typedef {true | Kept} Keeping
 * @typedef {Map<string, Keeping>} Kept
 */

/**
 * What of a job's context stays, because rules read it that decide something.
 *
 * @param {import('../engine/replay.js').Reads} reads
 * @returns {Keeping}
 */
function keepingOf({ paths, lists, all }) {
  if (all || paths.some((path) => path.length === 0)) return true;
  /** @type {Kept} */
  const root = new Map();
  for (const path of paths) keep(root, path, true);
  for (const path of Object.values(lists)) keep(root, path, new Map());
  return root;
}

/**
 * @param {Kept} root
 * @param {string[]} path
 * @param {Keeping} what
 */
function keep(root, path, what) {
  let at = root;
  for (const [depth, key] of path.entries()) {
    const known = at.get(key);
    if (known === true) return;
    const next = depth < path.length - 1 ? (known ?? new Map()) : what === true ? true : (known ?? what);
    at.set(key, next);
    if (next === true) return;
    at = next;
  }
}

/**
 * @param {Keeping | undefined} keeping
 * @param {string | number} key
 * @returns {Keeping | undefined}
 */
function within(keeping, key) {
  return keeping === true ? true : keeping?.get(String(key));
}

/**
 * @param {(Keeping | undefined)[]} several
 * @returns {Keeping | undefined} what any of them keeps
 */
function union(several) {
  if (several.includes(true)) return true;
  const kept = several.filter((keeping) => keeping !== undefined);
  if (kept.length === 0) return undefined;
  const keys = new Set(kept.flatMap((keeping) => [.../** @type {Kept} */ (keeping).keys()]));
  return new Map(
    [...keys].map((key) => [
      key,
      /** @type {Keeping} */ (union(kept.map((keeping) => within(keeping, key)))),
    ]),
  );
}

/**
 * JSON in which equal values are equal texts.
 *
 * @param {any} value
 * @returns {string}
 */
function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)}}`;
}

/**
 * Do rules read what a text has too: its length and its characters?
 *
 * @param {Kept} keeping
 */
function isLookedInto(keeping) {
  return [...keeping.keys()].some((key) => key === 'length' || /^\d+$/.test(key));
}

/** Takes out of a job's events what is not needed to decide again. */
export class Redactor {
  /**
   * @param {string} salt what is hashed before each value, so that hashes of different files can't be compared
   * @param {import('../engine/replay.js').Reads} reads
   * @param {any} plan
   */
  constructor(salt, reads, plan) {
    this.salt = salt;
    this.lists = reads.lists;
    /** What of the context stays. */
    this.context = keepingOf(reads);
    /** @type {any[]} */
    this.steps = plan?.steps ?? [];
    const ofStep = (/** @type {any} */ { id, into = id }) => within(this.context, into);
    const approvals = this.steps.filter(({ approve }) => approve !== undefined);
    this.keepsNames = approvals.some((step) => within(ofStep(step), 'by') !== undefined);
    /** @type {Map<string, Keeping | undefined>} what of a signal's payload stays, by its name */
    this.signals = new Map();
    for (const step of this.steps) {
      for (const name of [step.wait?.signal ?? []].flat()) {
        this.signals.set(name, union([this.signals.get(name), within(ofStep(step), 'payload')]));
      }
    }
  }

  /**
   * @param {any} value
   * @returns {Promise<any>}
   */
  async hash(value) {
    // Nothing is worth hiding less than that there is nothing.
    if (value === undefined || value === null) return value;
    return HASHED + (await sha256(`${this.salt}\n${canonical(value)}`));
  }

  /**
   * @param {any} value
   * @param {Keeping | undefined} keeping
   * @returns {Promise<any>}
   */
  async hide(value, keeping) {
    if (keeping === true) return value;
    if (keeping === undefined) return this.hash(value);
    if (value === null || typeof value !== 'object') return isLookedInto(keeping) ? value : this.hash(value);
    if (Array.isArray(value))
      return Promise.all(value.map((item, place) => this.hide(item, within(keeping, place))));
    return this.members(value, keeping);
  }

  /**
   * @param {any} object
   * @param {Keeping | undefined} keeping
   */
  async members(object, keeping) {
    const hidden = Object.entries(object).map(async ([key, value]) => [
      key,
      await this.hide(value, within(keeping, key)),
    ]);
    return Object.fromEntries(await Promise.all(hidden));
  }

  /**
   * @param {any} event
   * @param {boolean} isEngines
   */
  async event(event, isEngines) {
    const { type, payload } = event;
    if (!isEngines) return { ...event, payload: await this.hash(payload) };
    const hidden = { ...payload };
    for (const key of Object.keys(payload ?? {})) hidden[key] = await this.part(type, key, payload);
    return { ...event, payload: hidden };
  }

  /**
   * @param {string} type
   * @param {string} key
   * @param {any} payload
   */
  part(type, key, payload) {
    const value = payload[key];
    switch (key) {
      case 'context':
        return this.members(value ?? {}, this.context);
      case 'plan':
        return this.plan(value);
      case 'payload':
        return this.hide(value, this.signals.get(payload.name));
      case 'output':
        return this.output(payload);
      case 'items':
        return this.items(payload);
      case 'input':
      case 'args':
      case 'note':
        return this.hash(value);
      case 'reason':
        return type === 'job_paused' ? value : this.hash(value);
      case 'by':
        return this.name(value);
      case 'error':
        return this.error(value);
      case 'routed':
        return this.routed(value);
      default:
        return value;
    }
  }

  /** @param {any} payload */
  async output({ step: id, item, output }) {
    const step = this.steps.find((other) => other.id === id);
    const keeping = within(this.context, step?.into ?? id);
    if (step?.approve !== undefined) return { ...output, by: await this.name(output?.by) };
    if (step?.wait !== undefined) {
      if (output === null) return null;
      return { ...output, payload: await this.hide(output.payload, this.signals.get(output.signal)) };
    }
    if (step?.forEach === undefined) return this.hide(output, keeping);
    // What the items gave is told one by one too.
    return item === undefined
      ? this.hide(output, keeping ?? new Map())
      : this.hide(output, within(keeping, item));
  }

  /**
   * A list to go through stays as it stands in the context; where it stands in the plan, as there.
   *
   * @param {any} payload
   */
  async items({ step: id, items }) {
    const rule = this.steps.find((other) => other.id === id)?.forEach;
    if (Array.isArray(rule)) return this.literals(rule, items);
    const path = Object.hasOwn(this.lists, id) ? this.lists[id] : undefined;
    if (path === undefined) return items;
    return this.hide(items, path.reduce(within, /** @type {Keeping | undefined} */ (this.context)));
  }

  /**
   * @param {any[]} rules the items of a list in a plan
   * @param {any[]} values what they give
   * @returns {Promise<any[]>}
   */
  async literals(rules, values) {
    return Promise.all(
      values.map((value, place) => {
        const rule = rules[place];
        if (Array.isArray(rule) && Array.isArray(value)) return this.literals(rule, value);
        return rule !== null && typeof rule === 'object' ? value : this.hash(value);
      }),
    );
  }

  /** @param {any} by */
  async name(by) {
    return this.keepsNames || by === 'unknown' ? by : this.hash(by);
  }

  /** @param {any} error */
  async error({ code, message }) {
    // That the job was cancelled is what every step says that was under way.
    return { code, message: message === CANCELLED ? message : await this.hash(message) };
  }

  /** @param {any} routed */
  async routed({ input, ...routed }) {
    return input === undefined ? routed : { ...routed, input: await this.hash(input) };
  }

  /**
   * A plan keeps what decides; not what agents, people and child jobs are given.
   *
   * @param {any} plan
   * @returns {Promise<any>}
   */
  async plan(plan) {
    if (!Array.isArray(plan?.steps)) return plan;
    return {
      ...plan,
      steps: await Promise.all(plan.steps.map((/** @type {any} */ step) => this.step(step))),
    };
  }

  /** @param {any} step */
  async step(step) {
    const hidden = { ...step };
    if (step.input !== undefined) hidden.input = await this.hash(step.input);
    if (step.approve?.message !== undefined)
      hidden.approve = { message: await this.hash(step.approve.message) };
    if (Array.isArray(step.forEach)) hidden.forEach = await this.literals(step.forEach, step.forEach);
    if (step.job !== undefined) {
      hidden.job = { ...step.job, plan: await this.plan(step.job.plan) };
      if (step.job.context !== undefined) hidden.job.context = await this.hash(step.job.context);
    }
    return hidden;
  }
}
