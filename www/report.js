// @ts-check
/** The sample job: what its agents do, and in which order. */

/** @typedef {import('jobwright').AgentFn} AgentFn */

const sources = ['Compilers', 'Orchestras', 'Ant colonies', 'Railway timetables'];

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function work(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** @type {Record<string, AgentFn>} */
export const agents = {
  async research(_input, { signal, emit }) {
    for (const [index, source] of sources.entries()) {
      await work(120, signal);
      emit('source_read', { source, read: index + 1, of: sources.length });
    }
    return sources;
  },
  async outline(found, { signal }) {
    await work(200, signal);
    return found.map(
      (/** @type {string} */ source, /** @type {number} */ index) => `${index + 1}. ${source}`,
    );
  },
  async draft(headings, { signal, attempt }) {
    await work(200, signal);
    if (attempt === 1) throw new Error('the first draft was lost');
    return `On keeping order. ${headings.join(' ')}`;
  },
  async review(text, { signal }) {
    await work(200, signal);
    return { text, words: text.split(' ').length };
  },
  async publish({ words }, { signal }) {
    await work(150, signal);
    return `A report of ${words} words was published.`;
  },
};

/** @type {import('jobwright').Plan} */
export const plan = {
  name: 'report',
  steps: [
    { id: 'research', agent: 'research' },
    { id: 'outline', agent: 'outline' },
    { id: 'draft', agent: 'draft', retry: { maxAttempts: 3, backoffMs: 200 } },
    { id: 'review', agent: 'review' },
    { id: 'publish', agent: 'publish', approval: true },
  ],
};
