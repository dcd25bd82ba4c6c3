// @ts-check
import { core } from './core.js';

/** Longer durations count as thirty days. */
const LONGEST_MS = 30 * 24 * 60 * 60 * 1_000;

const MOST = 2 ** 32 - 1;

/**
 * Durations in milliseconds, in bounded memory however many there are. Count, least, greatest and mean are exact,
 * quantiles approximate: the core says which durations are counted as one. It keeps none of it, so that it can be
 * given up while there are histograms.
 */
export class Histogram {
  constructor() {
    /** By the core's places; as many as are needed, and at most 20 kB. */
    this.counts = new Uint32Array(0);
    this.count = 0;
    this.min = 0;
    this.max = 0;
    this.sum = 0;
  }

  /** @param {number} given at least 0, and not endless */
  record(given) {
    const ms = Math.min(given, LONGEST_MS);
    this.min = this.count === 0 ? ms : Math.min(this.min, ms);
    this.max = Math.max(this.max, ms);
    this.sum += ms;
    this.count += 1;
    const place = core.histogram_place(ms);
    if (place >= this.counts.length) {
      const counts = new Uint32Array(place + 1);
      counts.set(this.counts);
      this.counts = counts;
    }
    this.counts[place] = Math.min(/** @type {number} */ (this.counts[place]) + 1, MOST);
  }

  get mean() {
    return this.sum / this.count;
  }

  /**
   * The duration that a share of all is not longer than.
   *
   * @param {number} share more than 0, and at most 1
   */
  quantile(share) {
    let left = Math.ceil(share * this.count);
    const place = this.counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return Math.min(Math.max(core.histogram_longest(place), this.min), this.max);
  }
}
