// @ts-check
/** Time that moves on by itself, as soon as nothing else happens: twenty thousand runs have no time to wait for it. */

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** So many turns without an end are taken for rest: nothing in these runs waits for the world outside. */
const QUIET = 3;

export function createQuickClock(start = 1_700_000_000_000) {
  let moment = start;
  /** @type {{ due: number, wake: () => void }[]} */
  const sleepers = [];

  return {
    now: () => moment,

    /** @param {number} ms @param {AbortSignal | null} [signal] */
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { due: moment + ms, wake: () => resolve(undefined) };
        const abort = () => {
          const place = sleepers.indexOf(sleeper);
          if (place >= 0) sleepers.splice(place, 1);
          reject(signal?.reason);
        };
        if (signal?.aborted) return abort();
        signal?.addEventListener('abort', abort, { once: true });
        const place = sleepers.findLastIndex(({ due }) => due <= sleeper.due) + 1;
        sleepers.splice(place, 0, sleeper);
      }),

    /**
     * How a promise ends, with time going on as far as is needed.
     *
     * @param {PromiseLike<any>} promise
     * @returns {Promise<{ value?: any, error?: any, end: 'value' | 'error' | 'stuck' }>} stuck: nothing moves any more
     */
    async endOf(promise) {
      /** @type {any} */
      let ended = null;
      promise.then(
        (value) => {
          ended = { end: 'value', value };
        },
        (error) => {
          ended = { end: 'error', error };
        },
      );
      for (let quiet = 0; ; quiet += 1) {
        await turn();
        if (ended !== null) return ended;
        if (quiet < QUIET) continue;
        const next = sleepers.shift();
        if (next === undefined) return { end: 'stuck' };
        moment = next.due;
        next.wake();
        quiet = 0;
      }
    },

    /** Those that slept in a process that died never wake. */
    forget: () => sleepers.splice(0),
  };
}
