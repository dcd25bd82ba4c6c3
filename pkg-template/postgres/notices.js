// @ts-check

/**
 * When others are told of commits. A job whose status changes is told of with the commit that does so; one that is
 * committed many times in a moment with the first of these, and once more when the moment is over: each notice wakes
 * every process that listens.
 *
 * @typedef {object} Told
 * @property {unknown} status
 * @property {string | null} later what is still to be told
 */

/** How long others may not know of a step that began or ended just after another. */
const MOMENT_MS = 20;

/** @param {(notices: string[]) => Promise<unknown>} tell */
export function createNotices(tell) {
  /** @type {Map<string, Told>} by job */
  const told = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function wait() {
    timer ??= setTimeout(() => {
      timer = undefined;
      // Who is not told asks, sooner or later.
      tellRest().catch(() => {});
    }, MOMENT_MS);
    timer.unref();
  }

  async function tellRest() {
    const rest = [];
    for (const [jobId, known] of told) {
      if (known.later === null) told.delete(jobId);
      else rest.push(known.later);
      known.later = null;
    }
    if (told.size > 0) wait();
    if (rest.length > 0) await tell(rest);
  }

  /**
   * @param {string} jobId
   * @param {unknown} status
   * @param {string} notice of a commit
   * @returns {string | null} what goes with the commit; null: it is told later
   */
  function due(jobId, status, notice) {
    const known = told.get(jobId);
    if (known !== undefined && known.status === status) {
      known.later = notice;
      return null;
    }
    told.set(jobId, { status, later: null });
    wait();
    return notice;
  }

  /** Tells what is still to be told, when no more comes. */
  async function end() {
    clearTimeout(timer);
    timer = undefined;
    await tellRest().catch(() => {});
    clearTimeout(timer);
  }

  return { due, end };
}
