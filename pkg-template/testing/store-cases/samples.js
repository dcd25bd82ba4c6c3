// @ts-check

/**
 * @typedef {import('../../index.d.ts').Job} Job
 * @typedef {import('../../index.d.ts').JobChange} JobChange
 * @typedef {import('../../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../../index.d.ts').JobHead} JobHead
 * @typedef {import('../../index.d.ts').JobStore} JobStore
 * @typedef {(store: JobStore, open: () => Promise<JobStore>) => Promise<void>} Body `open` gives another store on the
 *   same data; the same store again where there is no other and the test does not say that it needs one
 * @typedef {{ test(name: string, body: Body, needs?: (keyof JobStore | 'open')[]): void }} Suite
 */

/** Ids and keys that stores have lost, cut or mixed up. */
export const AWKWARD_NAMES = [
  '',
  ' ',
  "it's",
  '"quoted"',
  '"',
  'back\\slash',
  'percent % and _ underscore',
  'line\nbreak\ttab',
  '🦀 emoji 👩‍👩‍👧',
  '🐙',
  '🦑',
  'Case',
  'case',
  'space at the end',
  'space at the end ',
  'straße',
  'strasse',
  'e\u0301 and \u00e9',
  '\u00e9 and \u00e9',
  'nul\0inside',
  'nul\0',
  '\0',
  '\ud800 alone',
  '\udc00 alone',
  '\ufffd alone',
  '__proto__',
  'constructor',
  'toString',
  '0',
  '-1',
  '1e3',
  'null',
  '../up',
  "'; DROP TABLE jobs; --",
  'x'.repeat(10_000),
  `${'x'.repeat(9_999)}y`,
];

/**
 * @param {string} jobId
 * @param {number} seq
 * @param {unknown} [payload]
 * @returns {JobEvent}
 */
export function event(jobId, seq, payload = { jobId }) {
  const spanId = seq.toString(16).padStart(16, '0');
  const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId };
  return {
    id: spanId,
    seq,
    type: `event_${seq}`,
    payload,
    trace,
    meta: { timestamp: 1000 + seq, source: 'test' },
  };
}

/**
 * @param {string} id
 * @param {Partial<Job>} [more]
 * @returns {Job}
 */
export function job(id, more = {}) {
  return {
    id,
    status: 'created',
    context: {},
    permissions: { allowTools: false, requireApproval: true, maxSteps: 10 },
    history: [],
    timing: { created: 1000 },
    ...more,
  };
}

/**
 * @param {string} id
 * @param {number} revision
 * @param {Partial<JobHead>} [more]
 * @returns {JobHead}
 */
export function head(id, revision, more = {}) {
  const { context, history, ...rest } = job(id);
  return { ...rest, run: { schema: 1, revision, seq: 0 }, ...more };
}

/**
 * @param {string} jobId
 * @param {number} expectedRevision
 * @param {Partial<JobChange>} [more]
 * @returns {JobChange}
 */
export function change(jobId, expectedRevision, more = {}) {
  return {
    jobId,
    expectedRevision,
    head: head(jobId, expectedRevision + 1),
    context: {},
    events: [],
    ...more,
  };
}

/**
 * A store's optional method, which the test has said it needs.
 *
 * @template {keyof JobStore} K
 * @param {JobStore} store
 * @param {K} name
 * @returns {NonNullable<JobStore[K]>}
 */
export function method(store, name) {
  const found = /** @type {any} */ (store)[name];
  return found.bind(store);
}
