// @ts-check
/** Worker processes that are killed and started again, until enough were killed; then they live to the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../differential/random.mjs';
import { drawFate, PATIENCE } from './fates.mjs';
import { startLife } from './life.mjs';

/**
 * @typedef {import('./fates.mjs').Fate} Fate
 * @typedef {import('./life.mjs').Life} Life
 */

/** How long a worker that is told to end may take, in milliseconds. */
const ENDING = 20_000;
/** How many lines of what the workers logged are kept. */
const KEPT = 200;

/**
 * @param {object} options
 * @param {string} options.file the worker's
 * @param {object} options.settings what each worker is given
 * @param {number} options.size how many run side by side
 * @param {number} options.seed
 * @param {number} options.kills how many are killed
 * @param {number} options.leaseMs
 * @param {number} options.stopEvery which of the workers that follow each other are stopped for longer than a lease
 */
export function createFleet({ file, settings, size, seed, kills, leaseMs, stopEvery }) {
  const counts = { spawned: 0, kills: 0, stops: 0, refused: 0, leasesLost: 0 };
  /** @type {string[]} */
  const problems = [];
  /** @type {string[]} */
  const logged = [];
  /** Workers that may have written a part of a line. @type {Set<string>} */
  const killed = new Set();
  /** @type {Set<Life>} */
  const living = new Set();
  let isEnding = false;

  /**
   * @param {Life} life
   * @param {Fate} fate
   */
  async function meet(life, fate) {
    if (!fate.early) await life.reaches(fate.calls, leaseMs + PATIENCE);
    await sleep(fate.ms);
    if (fate.stopMs > 0) {
      await life.standsStill(fate.stopMs);
      // Now it does what it was about to do.
      await sleep(leaseMs / 5);
    }
    if (!isEnding) life.kill();
  }

  /**
   * @param {string} name
   * @param {Fate | null} fate null: lives until it is told to end
   */
  async function live(name, fate) {
    const life = startLife(file, { ...settings, name, leaseMs });
    living.add(life);
    counts.spawned += 1;
    if (fate !== null) await meet(life, fate);
    if (isEnding) tellToEnd(life);
    const [code, signal] = /** @type {any} */ (await life.exited);
    living.delete(life);
    const wasKilled = life.seen.isKilled && signal === 'SIGKILL';
    if (wasKilled) killed.add(name);
    else if (code !== 0 || !isEnding) {
      problems.push(`worker ${name} ended by itself, exit code ${code}, signal ${signal}: ${life.stderr()}`);
    }
    count(life, wasKilled);
    logged.push(...life.logged.map((line) => `${name}: ${line}`));
    logged.splice(0, logged.length - KEPT);
  }

  /**
   * @param {Life} life
   * @param {boolean} wasKilled
   */
  function count({ seen }, wasKilled) {
    counts.kills += Number(wasKilled);
    counts.stops += Number(seen.wasStopped);
    counts.leasesLost += seen.leasesLost;
    counts.refused += seen.refused;
  }

  /** @param {Life} life */
  function tellToEnd(life) {
    life.tellToEnd(ENDING, () => {
      problems.push(`worker ${life.child.pid} did not end when it was told to`);
      life.kill();
    });
  }

  /** @param {number} slot */
  async function keep(slot) {
    const random = createRandom(seed + slot);
    for (let number = 0; !isEnding && problems.length === 0; number++) {
      const isMortal = counts.kills + living.size < kills;
      const isStopped = (number + slot) % stopEvery === 0;
      await live(`worker-${slot}-${number}`, isMortal ? drawFate(random, { leaseMs, isStopped }) : null);
    }
  }

  const kept = Array.from({ length: size }, (_, slot) => keep(slot + 1));

  return {
    counts,
    problems,
    logged,
    killed,
    /** Ends the workers in order. */
    async end() {
      isEnding = true;
      for (const life of living) tellToEnd(life);
      await Promise.all(kept);
    },
    /** Ends them at once; for when this process ends. */
    abandon() {
      isEnding = true;
      for (const life of living) life.kill();
    },
  };
}
