// @ts-check
/** One worker process, from its start to its end. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {ReturnType<typeof startLife>} Life */

/** Lets a process stand still; on its own, so that the process goes on even if this one dies. */
const STOPPING = 'kill -STOP "$1" && sleep "$2"; kill -CONT "$1"';

/**
 * @param {string} file
 * @param {object} settings
 */
export function startLife(file, settings) {
  const child = fork(file, [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
  });
  const exited = once(child, 'exit');
  const life = { calls: 0, refused: 0, leasesLost: 0, isKilled: false, wasStopped: false };
  /** @type {string[]} */
  const logged = [];
  let stderr = '';
  let told = () => {};
  child.stderr?.on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-4_000);
  });
  child.on('message', (/** @type {any} */ { type, text }) => {
    if (type === 'call') life.calls += 1;
    if (type === 'refused') life.refused += 1;
    if (type === 'log') {
      if (text.includes('its lease was lost')) life.leasesLost += 1;
      logged.push(text);
    }
    told();
  });

  return {
    ...{ child, exited, logged },
    seen: life,
    stderr: () => stderr,
    isAlive: () => child.exitCode === null && child.signalCode === null,

    /**
     * Waits until the worker is ready and its agents were called so often, or it has nothing to do.
     *
     * @param {number} calls
     * @param {number} patience in milliseconds
     */
    async reaches(calls, patience) {
      const [ready, enough] = [latch(), latch()];
      told = () => {
        ready.open();
        if (life.calls >= calls) enough.open();
      };
      await Promise.race([ready.promise, exited]);
      await Promise.race([enough.promise, exited, sleep(patience)]);
    },

    /** @param {number} ms */
    async standsStill(ms) {
      const helper = spawn('sh', ['-c', STOPPING, 'sh', String(child.pid), String(ms / 1000)]);
      const [code] = await Promise.race([once(helper, 'exit'), exited.then(() => [null])]);
      life.wasStopped = code === 0;
    },

    kill() {
      life.isKilled = child.exitCode === null && child.kill('SIGKILL');
    },

    /** Tells it to end. @param {number} ms how long it may take @param {() => void} late */
    tellToEnd(ms, late) {
      if (!child.connected) return;
      child.send({ type: 'end' }, () => {});
      const timer = setTimeout(late, ms);
      exited.then(() => clearTimeout(timer));
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
