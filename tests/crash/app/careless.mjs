// @ts-check
/** A store that lets everybody write: what the crash test has to find. */

/**
 * @template {Required<import('jobwright').JobStore>} S
 * @param {S} store one that answers without promises
 * @returns {S}
 */
export function careless(store) {
  let tokens = 0;
  return {
    ...store,
    acquireLease() {
      tokens += 1;
      return tokens;
    },
    renewLease: () => true,
    releaseLease() {},
    /** Whoever comes second is not refused: what it has is put behind what is there. @param {import('jobwright').JobChange} change */
    commit({ fencingToken: _, ...change }) {
      const stored = /** @type {import('jobwright').JobHead | null} */ (store.getHead(change.jobId));
      const { revision = 0, seq = 0 } = stored?.run ?? {};
      const by = change.events.length > 0 ? seq + 1 - Number(change.events[0]?.seq) : 0;
      const events = change.events.map((event) => ({ ...event, seq: event.seq + by }));
      const run = {
        ...change.head.run,
        schema: /** @type {const} */ (1),
        revision: revision + 1,
        seq: seq + events.length,
      };
      return store.commit({ ...change, expectedRevision: revision, events, head: { ...change.head, run } });
    },
  };
}
