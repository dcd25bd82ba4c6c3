// @ts-check
import { cloneJson, describe } from '../parts/plain.js';
import { createRandom } from './random.js';
import { afterTurn } from './turns.js';

/**
 * @typedef {import('../index.d.ts').Clock} Clock
 * @typedef {import('../index.d.ts').JobStore} JobStore
 * @typedef {import('./index.d.ts').Fault} Fault
 * @typedef {import('./index.d.ts').FaultKind} FaultKind
 * @typedef {import('./index.d.ts').FaultyOptions} FaultyOptions
 */

/** Which calls can be answered with what was read before. */
const READS = /** @type {const} */ (['getJob', 'getHead', 'listJobs', 'getEvents', 'getControl']);
const WRITES = /** @type {const} */ ([
  'saveJob',
  'commit',
  'acquireLease',
  'renewLease',
  'releaseLease',
  'setControl',
  'deleteJob',
  'prune',
]);
/** @type {readonly string[]} */
const READ_NAMES = READS;

/** @type {readonly FaultKind[]} */
const KINDS = ['before', 'after', 'delay', 'stale', 'hang'];
/** Those that a test survives without having thought of them. @type {readonly FaultKind[]} */
const USUAL = ['before', 'after', 'delay', 'stale'];

/** How many answers are remembered for each question, so that one of them can be given again. */
const REMEMBERED = 4;

/**
 * The same store, to which things happen.
 *
 * @param {JobStore} store
 * @param {FaultyOptions} options
 * @returns {import('./index.d.ts').FaultyJobStore}
 */
export function faulty(store, options) {
  const { seed, rate, kinds, delayMs, clock } = readOptions(store, options);
  /** @type {Fault[]} */
  const faults = [];
  /** @type {Map<string, unknown[]>} */
  const answers = new Map();
  /** @type {Set<() => void>} ends the calls that hang */
  const hanging = new Set();
  let calls = 0;

  /**
   * What happens to a call depends on the seed and on its number alone, whatever happened to the others.
   *
   * @param {string} method
   * @param {unknown[]} args
   */
  function draw(method, args) {
    calls += 1;
    const random = createRandom(seed * 1_000_003 + calls);
    const [hit, kind, half, share] = [
      random.next() < rate,
      /** @type {FaultKind} */ (kinds[random.below(kinds.length)]),
      random.below(2) === 0,
      random.next(),
    ];
    if (!hit) return null;
    if (kind === 'stale' && !answers.has(questionOf(method, args))) return null;
    const acted = kind === 'after' || ((kind === 'delay' || kind === 'hang') && half);
    const jobId = jobIdOf(args[0]);
    const fault = { call: calls, method, kind, acted, ...(jobId !== undefined && { jobId }) };
    faults.push(fault);
    return { fault, share };
  }

  /**
   * @param {string} method
   * @param {unknown[]} args
   */
  async function call(method, args) {
    const drawn = draw(method, args);
    /** @type {() => unknown} */
    const act = () => /** @type {any} */ (store)[method](...args);
    if (drawn === null) return remember(method, args, await act());
    const { fault, share } = drawn;
    switch (fault.kind) {
      case 'before':
        throw faultError(fault, seed);
      case 'after':
        await act();
        throw faultError(fault, seed);
      case 'stale':
        return older(answers.get(questionOf(method, args)) ?? [], share);
      case 'delay': {
        if (!fault.acted) await pause(share * delayMs);
        const answer = remember(method, args, await act());
        if (fault.acted) await pause(share * delayMs);
        return answer;
      }
      default:
        if (fault.acted) await act();
        return hang(fault);
    }
  }

  /**
   * @param {Fault} fault
   * @returns {Promise<never>}
   */
  function hang(fault) {
    return new Promise((_, reject) => {
      hanging.add(() => reject(faultError(fault, seed)));
    });
  }

  /** @param {number} ms */
  async function pause(ms) {
    if (clock !== undefined) return clock.sleep(Math.ceil(ms));
    for (let turns = Math.ceil(ms) % 5; turns >= 0; turns -= 1) await turn();
  }

  /**
   * @param {string} method
   * @param {unknown[]} args
   * @param {unknown} answer
   */
  function remember(method, args, answer) {
    if (!kinds.includes('stale') || !READ_NAMES.includes(method)) return answer;
    const question = questionOf(method, args);
    const known = answers.get(question) ?? [];
    known.push(cloneJson(answer));
    if (known.length > REMEMBERED) known.shift();
    answers.set(question, known);
    return answer;
  }

  /** @type {Record<string, unknown>} */
  const methods = {};
  for (const method of [...READS, ...WRITES]) {
    if (typeof store[method] === 'function') {
      methods[method] = (/** @type {unknown[]} */ ...args) => call(method, args);
    }
  }
  for (const method of /** @type {const} */ (['watch', 'close'])) {
    const own = /** @type {any} */ (store)[method];
    if (typeof own === 'function') methods[method] = own.bind(store);
  }
  return /** @type {any} */ ({
    ...methods,
    faults,
    hanging: () => hanging.size,
    release() {
      const ended = hanging.size;
      for (const end of hanging) end();
      hanging.clear();
      return ended;
    },
  });
}

/** @returns {Promise<void>} */
const turn = () => new Promise((resolve) => afterTurn(resolve));

/**
 * @param {string} method
 * @param {unknown[]} args
 */
const questionOf = (method, args) => JSON.stringify([method, ...args]);

/** @param {any} first a job, a change or an id */
function jobIdOf(first) {
  const id = first?.jobId ?? first?.id ?? first;
  return typeof id === 'string' ? id : undefined;
}

/**
 * @param {unknown[]} known the last of them is the newest
 * @param {number} share in [0, 1)
 */
function older(known, share) {
  const place = Math.floor(share * Math.max(known.length - 1, 1));
  return cloneJson(known[place]);
}

/**
 * @param {Fault} fault
 * @param {number} seed
 */
function faultError(fault, seed) {
  const { call, method, jobId, kind, acted } = fault;
  const about = jobId === undefined ? method : `${method} of ${describe(jobId)}`;
  const when = acted ? 'after it was done' : 'before anything was done';
  const how = kind === 'hang' ? `never settled, and was released ${when}` : `was rejected ${when}`;
  const error = new Error(`Fault at call ${call} of seed ${seed}: ${about} ${how}`);
  return Object.assign(error, { name: 'FaultError', code: 'fault', fault });
}

/**
 * @param {JobStore} store
 * @param {FaultyOptions} options
 */
function readOptions(store, options) {
  if (typeof store?.saveJob !== 'function' || typeof store.getJob !== 'function') {
    throw new TypeError(`faulty: store: expected a store, found ${describe(store)}`);
  }
  const { seed, rate = 0.1, kinds = USUAL, delayMs = 1_000, clock } = options ?? {};
  if (!Number.isSafeInteger(seed)) {
    throw new TypeError(`faulty: seed: expected an integer, found ${describe(seed)}`);
  }
  if (!(rate >= 0 && rate <= 1)) {
    throw new TypeError(`faulty: rate: expected a number from 0 to 1, found ${describe(rate)}`);
  }
  const isList = Array.isArray(kinds);
  const unknown = isList ? kinds.find((kind) => !KINDS.includes(kind)) : kinds;
  if (!isList || kinds.length === 0 || unknown !== undefined) {
    const found = isList && kinds.length === 0 ? 'none' : describe(unknown);
    throw new TypeError(`faulty: kinds: expected some of ${KINDS.join(', ')}, found ${found}`);
  }
  if (!(delayMs >= 0 && delayMs < Infinity)) {
    throw new TypeError(`faulty: delayMs: expected milliseconds, found ${describe(delayMs)}`);
  }
  return { seed, rate, kinds: [...kinds], delayMs, clock };
}
