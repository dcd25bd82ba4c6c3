// @ts-check

/** A store that keeps whole jobs as they are given. */
export function plainStore() {
  /** @type {Map<string, any>} */
  const jobs = new Map();
  return {
    saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
    getJob: (/** @type {string} */ id) => jobs.get(id) ?? null,
  };
}
