// @ts-check
/** Worker processes that are killed and started again, until enough were killed; then they live to the end. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../differential/random.mjs';
import { drawFate, PATIENCE } from './fates.mjs';

/**
 * @typedef {import('./fates.mjs').Fate} Fate
 *
 * @typedef {object} Life
 * @property {import('node:child_process').ChildProcess} process
 * @property {number} calls
 * @property {() => void} told
 * @property {boolean} isKilled by this fleet
 * @property {Promise<unknown>} exited
 * @property {string} stderr
 */

/** How long a worker that is told to end may take, in milliseconds. */
const ENDING = 20_000;

/** Lets a process stand still; on its own, so that the process goes on even if this one dies. */
const STOPPING = 'kill -STOP "$1" && sleep "$2"; kill -CONT "$1"';

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
  const counts = { spawned: 0, kills: 0, stops: 0, ended: 0, leasesLost: 0, calls: 0 };
  /** @type {string[]} */
  const problems = [];
  /** @type {string[]} */
  const logged = [];
  /** Workers that may have written a part of a line. @type {Set<string>} */
  const killed = new Set();
  /** @type {Set<Life>} */
  const living = new Set();
  let isEnding = false;

  /** @param {string} name */
  function start(name) {
    const child = fork(file, [JSON.stringify({ ...settings, name, leaseMs })], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    counts.spawned += 1;
    /** @type {Life} */
    const life = {
      process: child,
      calls: 0,
      told() {},
      isKilled: false,
      exited: once(child, 'exit'),
      stderr: '',
    };
    child.stderr?.on('data', (chunk) => {
      life.stderr = (life.stderr + chunk).slice(-4_000);
    });
    child.on('message', (/** @type {any} */ message) => {
      hear(name, life, message);
      life.told();
    });
    living.add(life);
    return life;
  }

  /**
   * @param {string} name
   * @param {Life} life
   * @param {any} message
   */
  function hear(name, life, message) {
    if (message.type === 'call') {
      life.calls += 1;
      counts.calls += 1;
    }
    if (message.type !== 'log') return;
    if (message.text.includes('its lease was lost')) counts.leasesLost += 1;
    logged.push(`${name}: ${message.text}`);
    if (logged.length > 200) logged.shift();
  }

  /**
   * @param {Life} life
   * @param {Fate} fate
   */
  async function meet(life, fate) {
    if (!fate.early) await reached(life, fate.calls);
    await sleep(fate.ms);
    if (fate.stopMs > 0) {
      const helper = spawn('sh', [
        '-c',
        STOPPING,
        'sh',
        String(life.process.pid),
        String(fate.stopMs / 1000),
      ]);
      const [code] = await Promise.race([once(helper, 'exit'), life.exited.then(() => [1])]);
      if (code === 0) counts.stops += 1;
      // What was stopped now does what it was about to do.
      await sleep(leaseMs / 5);
    }
    if (isEnding) return;
    kill(life);
  }

  /** @param {Life} life */
  function kill(life) {
    life.isKilled = life.process.exitCode === null && life.process.kill('SIGKILL');
  }

  /**
   * Waits until the worker is ready and its agents were called so often, or it has nothing to do.
   *
   * @param {Life} life
   * @param {number} calls
   */
  async function reached(life, calls) {
    const ready = latch();
    const enough = latch();
    life.told = () => {
      ready.open();
      if (life.calls >= calls) enough.open();
    };
    await Promise.race([ready.promise, life.exited]);
    await Promise.race([enough.promise, life.exited, sleep(PATIENCE)]);
  }

  /**
   * @param {string} name
   * @param {Fate | null} fate null: lives until it is told to end
   */
  async function live(name, fate) {
    const life = start(name);
    if (fate !== null) await meet(life, fate);
    if (isEnding && life.process.exitCode === null) tellToEnd(life);
    const [code, signal] = /** @type {any} */ (await life.exited);
    living.delete(life);
    if (life.isKilled && signal === 'SIGKILL') {
      killed.add(name);
      counts.kills += 1;
    } else if (code === 0 && isEnding) {
      counts.ended += 1;
    } else {
      problems.push(`worker ${name} ended by itself, exit code ${code}, signal ${signal}: ${life.stderr}`);
    }
  }

  /** @param {Life} life */
  function tellToEnd(life) {
    life.process.send({ type: 'end' }, () => {});
    const late = setTimeout(() => {
      problems.push(`worker ${life.process.pid} did not end when it was told to`);
      kill(life);
    }, ENDING);
    life.exited.then(() => clearTimeout(late));
  }

  /** @param {number} slot */
  async function keep(slot) {
    const random = createRandom(seed + slot);
    for (let life = 0; !isEnding && problems.length < 10; life++) {
      const isMortal = counts.kills + living.size < kills;
      await live(
        `worker-${slot}-${life}`,
        isMortal ? drawFate(random, { leaseMs, isStopped: (life + slot) % stopEvery === 0 }) : null,
      );
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
      for (const life of living) if (life.process.connected) tellToEnd(life);
      await Promise.all(kept);
    },
    /** Ends them at once; for when this process ends. */
    abandon() {
      isEnding = true;
      for (const { process } of living) process.kill('SIGKILL');
    },
  };
}

function latch() {
  let open = () => {};
  const promise = new Promise((resolve) => {
    open = () => resolve(null);
  });
  return { promise, open };
}
