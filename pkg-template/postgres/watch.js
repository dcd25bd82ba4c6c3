// @ts-check
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { invalid } from '../parts/store-arguments.js';

/**
 * @typedef {import('../index.d.ts').StoreNotice} StoreNotice
 * @typedef {(notice: StoreNotice) => void} Listener
 * @typedef {import('./connection.js').Source} Source
 * @typedef {{ stop(): Promise<void> }} Session one connection that listens
 */

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
/** How often a connection on which nothing comes is asked whether it is still there, and how long it may take to say. */
const CHECK_MS = 30_000;
const ANSWER_MS = 10_000;
/** How long a notice may take that the server has sent. */
const NOTICE_MS = 2_000;

/**
 * Tells what others change, as the server tells it. It listens only while somebody watches.
 *
 * @param {object} options
 * @param {Source['listener']} options.listener
 * @param {Source['query']} options.query over other connections
 * @param {string} options.channel
 * @param {<T>(send: () => Promise<T>, kind: 'read') => Promise<T>} options.attempt
 */
export function createWatch({ listener: connect, query, channel, attempt }) {
  /** @type {Set<{ listener: Listener }>} */
  const watchers = new Set();
  /** @type {Promise<Session> | null} the connection, also while it is being made */
  let session = null;
  /** Ends the wait for another connection when nobody watches any more. */
  let waiting = new AbortController();

  /** @param {StoreNotice} notice */
  function tell(notice) {
    for (const { listener } of [...watchers]) {
      // What a watcher throws is no reason to leave the others out.
      try {
        listener(notice);
      } catch {}
    }
  }

  /** @param {Listener} listener */
  async function watch(listener) {
    if (typeof listener !== 'function')
      throw invalid(`watch: expected a function, found ${describe(listener)}`);
    // One object for each call, because the same function may watch twice.
    const watcher = { listener };
    watchers.add(watcher);
    const remove = async () => {
      watchers.delete(watcher);
      if (watchers.size === 0) await stop();
    };
    session ??= attempt(open, 'read');
    const mine = session;
    try {
      await mine;
    } catch (error) {
      if (session === mine) session = null;
      watchers.delete(watcher);
      throw error;
    }
    return remove;
  }

  /** @returns {Promise<Session>} */
  async function open() {
    const { client, shared } = await connect();
    return listen(client, { shared, query, channel, tell, broken: () => renew(shared) });
  }

  /** @param {boolean} shared whether there is no other connection to be had */
  async function renew(shared) {
    session = null;
    if (shared) return tell({ type: 'missed' });
    const { signal } = waiting;
    for (let wait = FIRST_WAIT_MS; !signal.aborted; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      await sleep(wait * (1 + Math.random() / 2), undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      // Somebody who began to watch meanwhile has made a connection already.
      /** @type {Promise<Session>} */
      const mine = session ?? open();
      session = mine;
      try {
        await mine;
        return tell({ type: 'missed' });
      } catch {
        if (session === mine) session = null;
      }
    }
  }

  async function stop() {
    const last = session;
    session = null;
    watchers.clear();
    waiting.abort();
    waiting = new AbortController();
    await last?.then(({ stop }) => stop()).catch(() => {});
  }

  return { watch, stop };
}

/**
 * @param {any} client
 * @param {object} options
 * @param {boolean} options.shared
 * @param {Source['query']} options.query
 * @param {string} options.channel
 * @param {(notice: StoreNotice) => void} options.tell
 * @param {() => void} options.broken called once, unless it is stopped before
 * @returns {Promise<Session>}
 */
async function listen(client, { shared, query, channel, tell, broken }) {
  let ended = false;
  const onNotification = (
    /** @type {{ channel: string, payload?: string }} */ { channel: from, payload },
  ) => {
    if (from === channel && !ended) tell(readNotice(payload));
  };
  const onEnd = () => {
    if (ended) return;
    leave();
    broken();
  };
  const check = setInterval(async () => {
    if (!shared && !(await isThere(client))) client.connection?.stream?.destroy();
  }, CHECK_MS).unref();
  function leave() {
    ended = true;
    clearInterval(check);
    client.off('notification', onNotification);
    client.off('end', onEnd);
  }

  client.on('notification', onNotification);
  client.on('end', onEnd);
  try {
    const [, { rows }] = await client.query(`LISTEN ${channel}; SELECT pg_backend_pid() AS pid`);
    if (!shared && rows[0].pid !== client.processID) await checkHears(client, query, channel);
  } catch (error) {
    leave();
    if (!shared) client.end().catch(() => {});
    throw error;
  }
  return {
    async stop() {
      if (ended) return;
      leave();
      if (shared) await client.query(`UNLISTEN ${channel}`);
      else await client.end();
    },
  };
}

/**
 * There is a pooler between. One that gives the connection to others after each transaction takes the order to listen, and
 * no notice ever comes. What is sent to find out is to all others a change of anything.
 *
 * @param {any} client
 * @param {Source['query']} query
 * @param {string} channel
 */
async function checkHears(client, query, channel) {
  const probe = randomUUID();
  const heard = new Promise((resolve) => {
    client.on('notification', (/** @type {any} */ { payload }) => payload === probe && resolve(true));
  });
  await query('SELECT pg_notify($1, $2)', [channel, probe]);
  if (await Promise.race([heard, sleep(NOTICE_MS)])) return;
  throw new JobwrightError("PostgreSQL can't be watched through a pooler that shares connections", {
    code: 'unsupported',
  });
}

/**
 * @param {any} client
 * @returns {Promise<boolean>}
 */
async function isThere(client) {
  const silence = sleep(ANSWER_MS, false, { ref: false });
  return Promise.race([
    client.query('SELECT 1').then(
      () => true,
      () => false,
    ),
    silence,
  ]);
}

/**
 * @param {string | undefined} payload
 * @returns {StoreNotice} anybody may send something on the channel; what is not known may be anything
 */
function readNotice(payload) {
  try {
    const notice = JSON.parse(String(payload));
    const isJob =
      notice.type === 'job' && typeof notice.jobId === 'string' && Number.isSafeInteger(notice.revision);
    if (isJob || notice.type === 'control') return notice;
  } catch {}
  return { type: 'missed' };
}
