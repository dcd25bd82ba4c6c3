// @ts-check

/**
 * The same store, which tells of each commit that it refuses.
 *
 * @template {Required<import('jobwright').JobStore>} S
 * @param {S} store
 * @param {() => void} refused
 * @returns {S}
 */
export function tellRefusals(store, refused) {
  /** @param {unknown} error @returns {never} */
  const pass = (error) => {
    if (/** @type {Error} */ (error).name === 'ConflictError') refused();
    throw error;
  };
  return {
    ...store,
    /** @param {import('jobwright').JobChange} change */
    commit(change) {
      try {
        const answer = store.commit(change);
        return answer instanceof Promise ? answer.catch(pass) : answer;
      } catch (error) {
        return pass(error);
      }
    },
  };
}
