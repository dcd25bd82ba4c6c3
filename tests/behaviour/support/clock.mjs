// @ts-check
/** Time that moves when a test says so. */

export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Lets everything happen that can happen without time passing. */
export async function settle() {
  for (let n = 0; n < 12; n++) await turn();
}

/** @param {number} [start] */
export function createClock(start = 1_700_000_000_000) {
  let now = start;
  /** @type {{ at: number, wake: () => void }[]} */
  let sleepers = [];
  /** @type {number[]} */
  const asked = [];

  return {
    /** every number of milliseconds that was asked for */
    asked,
    sleeping: () => sleepers.length,
    now: () => now,
    /** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} */
    sleep(ms, signal) {
      asked.push(ms);
      return new Promise((resolve, reject) => {
        const sleeper = { at: now + ms, wake: resolve };
        const give = () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          reject(signal?.reason);
        };
        if (signal?.aborted) return give();
        signal?.addEventListener('abort', give, { once: true });
        sleepers.push(sleeper);
      });
    },
    /** Moves on, waking who is due in the order of their times. @param {number} ms */
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        sleepers.sort((a, b) => a.at - b.at);
        const next = sleepers[0];
        if (!next || next.at > until) break;
        now = Math.max(now, next.at);
        sleepers.shift();
        next.wake();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}
