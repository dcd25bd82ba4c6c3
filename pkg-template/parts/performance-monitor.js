// @ts-check

/**
 * @typedef {import('../engine/histogram.js').Histogram} Histogram
 * @typedef {import('../index.d.ts').DurationStats} DurationStats
 */

/** How many agents get a name of their own in the statistics. A histogram takes up to 20 kB. */
const NAMED_AGENTS = 100;

/**
 * @param {() => new () => Histogram} histogramClass
 */
export function bindPerformanceMonitor(histogramClass) {
  /**
   * Measures how long jobs and steps take, in bounded memory however many there are.
   *
   * `stats()` has an entry for `job`, `job:completed`, `job:failed`, `step`, and `step:<agent>` for the first
   * hundred agents; the steps of further ones are counted under `step:other`. What was found stalled is counted under
   * `stalled`, and when it has ended also as a step. Counts, least, greatest and
   * average are exact to the microsecond, quantiles to one in a hundred. What is no duration (NaN, a negative
   * number) is ignored.
   *
   * @param {{ namedAgents?: number }} [options] `namedAgents`: how many instead of a hundred
   */
  return function createPerformanceMonitor({ namedAgents = NAMED_AGENTS } = {}) {
    /** @type {Map<string, Histogram>} */
    const histograms = new Map();
    const Histogram = histogramClass();
    const agents = new Set();

    /**
     * @param {string} name
     * @param {number} ms
     */
    function record(name, ms) {
      let histogram = histograms.get(name);
      if (histogram === undefined) {
        histogram = new Histogram();
        histograms.set(name, histogram);
      }
      histogram.record(ms);
    }

    /** @param {string} agent */
    function nameOf(agent) {
      if (!agents.has(agent)) {
        if (agents.size >= namedAgents) return 'step:other';
        agents.add(agent);
      }
      return `step:${agent}`;
    }

    return {
      /**
       * @param {string} _jobId
       * @param {number} durationMs
       * @param {{ status?: unknown }} [tags]
       */
      recordJobDuration(_jobId, durationMs, tags) {
        if (!isDuration(durationMs)) return;
        record('job', durationMs);
        const status = tags?.status;
        if (status === 'completed' || status === 'failed') record(`job:${status}`, durationMs);
      },

      /**
       * @param {number} durationMs
       * @param {{ agent?: unknown, status?: unknown }} [tags]
       */
      recordLatency(durationMs, tags) {
        if (!isDuration(durationMs)) return;
        if (tags?.status === 'stalled') return record('stalled', durationMs);
        record('step', durationMs);
        const agent = tags?.agent;
        if (typeof agent === 'string') record(nameOf(agent), durationMs);
      },

      /** @returns {Record<string, DurationStats>} */
      stats() {
        return Object.fromEntries([...histograms].map(([name, histogram]) => [name, statsOf(histogram)]));
      },
    };
  };
}

/** @param {unknown} ms */
function isDuration(ms) {
  return typeof ms === 'number' && ms >= 0 && ms < Number.POSITIVE_INFINITY;
}

/**
 * @param {Histogram} histogram
 * @returns {DurationStats}
 */
function statsOf(histogram) {
  return {
    count: histogram.count,
    min: histogram.min,
    max: histogram.max,
    avg: histogram.mean,
    p50: histogram.quantile(0.5),
    p90: histogram.quantile(0.9),
    p99: histogram.quantile(0.99),
  };
}
