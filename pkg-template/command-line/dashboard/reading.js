// @ts-check
/** What is asked: every answer of a GET. */
import { JOB_STATUS } from 'jobwright';
import { hasEnded } from '../jobs.js';
import { Wrong } from './http.js';
import { message } from './streams.js';

/**
 * @typedef {import('./server.js').Home} Home
 * @typedef {import('./streams.js').Stream} Stream
 * @typedef {URLSearchParams} Query
 */

/** How many heads one answer holds at most. */
const MOST_HEADS = 1_000;

/** How many events are read at once. */
const EVENTS = 100;

/** A look into the store, should no notice come. */
const POLL_MS = 2_000;

/** What happens within this time is read together. */
const TOGETHER_MS = 25;

/** For how long what was found of all jobs is the answer for others, too. */
const HEALTH_MS = 1_000;

/** @type {Record<string, (home: Home, query: Query) => Promise<unknown>>} */
export const answers = {
  hello: async ({ name, access, slowPlayMs }) => ({ name, access, slowPlayMs }),
  jobs: async ({ store, veil }, query) =>
    (await store.listJobs(filterOf(query))).map((head) => veil.job(head)),
  head: async ({ store, veil }, query) => veil.job(await store.getHead(idOf(query))),
  job: async ({ orchestrator, veil }, query) => veil.job(await orchestrator.getJob(idOf(query))),
  health: (home) => healthOf(home),
  paused: async ({ store }) => (await store.getControl())?.paused === true,
  // The store keeps no accounts: whoever runs the jobs has them.
  budget: async () => null,
  replay: async ({ orchestrator, veil }, query) => veil.replay(await orchestrator.replayJob(idOf(query))),
};

/**
 * @param {Home} home
 * @param {Query} query
 * @returns {Promise<string>} a run file
 */
export async function exported({ orchestrator, access }, query) {
  if (access.redacted) {
    const why = 'Run files are not given out here: they hold the values that the rules of the plan read.';
    throw new Wrong(403, 'redacted', why);
  }
  const lines = [];
  for await (const line of orchestrator.exportJob(idOf(query), { redact: query.get('redact') !== '0' }))
    lines.push(`${line}\n`);
  return lines.join('');
}

/** @type {WeakMap<Home, { at: number, health: Promise<unknown> }>} */
const looks = new WeakMap();

/** @param {Home} home */
function healthOf(home) {
  const look = looks.get(home);
  if (look !== undefined && Date.now() - look.at < HEALTH_MS) return look.health;
  const health = home.orchestrator.health();
  looks.set(home, { at: Date.now(), health });
  return health;
}

/** @param {Query} query */
export function idOf(query) {
  const id = query.get('id');
  if (id !== null) return id;
  throw new Wrong(400, 'invalid_argument', 'id: expected the id of a job.');
}

/** @param {Query} query */
function filterOf(query) {
  const limit = numberOf(query, 'limit', MOST_HEADS);
  const statuses = query.get('status')?.split(',');
  const known = /** @type {string[]} */ (Object.values(JOB_STATUS));
  const unknown = statuses?.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Wrong(
      400,
      'invalid_argument',
      `status: expected ${known.join(', ')}; found ${JSON.stringify(unknown)}.`,
    );
  const [parentId, cursor] = [query.get('parentId'), query.get('cursor')];
  return {
    limit: Math.min(limit, MOST_HEADS),
    ...(statuses === undefined ? {} : { status: /** @type {import('jobwright').JobStatus[]} */ (statuses) }),
    ...(parentId === null ? {} : { parentId }),
    ...(cursor === null ? {} : { cursor }),
  };
}

/**
 * @param {Query} query
 * @param {string} name
 * @param {number} otherwise
 */
function numberOf(query, name, otherwise) {
  const given = query.get(name);
  if (given === null) return otherwise;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new Wrong(
    400,
    'invalid_argument',
    `${name}: expected a whole number, found ${JSON.stringify(given)}.`,
  );
}

/**
 * Where a reader of a job's events goes on: after the last event that it has.
 *
 * @param {Query} query
 * @param {string | string[] | undefined} last what a browser says that was cut off
 */
export function cursorOf(query, last) {
  return typeof last === 'string' && /^\d{1,15}$/.test(last) ? Number(last) : numberOf(query, 'after', 0);
}

/**
 * A job's history behind `after`, then what comes, until the job has ended. Nothing waits for a reader but that something
 * happened: what is read next is read from the store.
 *
 * @param {Home} home
 * @param {Stream} stream
 * @param {{ jobId: string, after: number }} from
 */
export async function followJob({ hub, store, veil }, stream, { jobId, after }) {
  const bell = makeBell(stream.signal);
  const off = hub.follow(jobId, bell.ring);
  try {
    for (let seen = after; !stream.signal.aborted; ) {
      bell.hush();
      const head = await store.getHead(jobId);
      const events = eventsAfter(seen, await store.getEvents(jobId, seen, EVENTS));
      for (const event of events) {
        await stream.send(message({ id: event.seq, data: veil.event(event) }));
        if (stream.signal.aborted) return;
        seen = event.seq;
      }
      const isOver = head === null || hasEnded(head);
      if (isOver && events.length === 0) {
        await stream.send(message({ event: 'end', data: null }));
        return;
      }
      if (!isOver && events.length < EVENTS) await bell.rung();
    }
  } finally {
    off();
  }
}

/**
 * What a store gave that goes on behind `seen`, whatever else it gave: the same again would be read for ever.
 *
 * @param {number} seen
 * @param {import('jobwright').JobEvent[]} events
 */
function eventsAfter(seen, events) {
  let last = seen;
  return events.filter((event) => {
    const isNew = Number.isSafeInteger(event?.seq) && event.seq > last;
    if (isNew) last = event.seq;
    return isNew;
  });
}

/**
 * @param {Home} home
 * @param {Stream} stream
 */
export async function followAll({ hub }, stream) {
  for await (const bundle of hub.changes(stream.signal)) {
    await stream.send(bundle.map((change) => message({ data: change })).join(''));
  }
}

/**
 * Says that something happened, however often it did.
 *
 * @param {AbortSignal} signal
 */
function makeBell(signal) {
  let rang = false;
  let wake = () => {};
  const ring = () => {
    rang = true;
    wake();
  };
  signal.addEventListener('abort', ring);
  /** @param {number} ms */
  const wait = (ms) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  return {
    ring,
    hush: () => {
      rang = false;
    },
    async rung() {
      if (!rang) await wait(POLL_MS);
      wake = () => {};
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS));
    },
  };
}
