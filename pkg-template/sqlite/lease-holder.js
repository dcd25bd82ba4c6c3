// @ts-check
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Which process holds a lease: one that has died holds none, and nobody needs to wait until its time is over. Only
 * processes of the same machine, and there of the same container, can be asked after; of all others nothing is known.
 *
 * @typedef {object} Holder
 * @property {string} place where process ids mean what they mean here
 * @property {number} pid
 * @property {string} started tells a process from a later one with the same id; empty where that is not to be had
 */

/** @type {string | undefined} */
let self;

/** This process, as it is written beside the leases that it takes. */
export function thisProcess() {
  self ??= JSON.stringify({ place: placeOf(), pid: process.pid, started: startOf(process.pid) ?? '' });
  return self;
}

/**
 * Is it certain that the process has ended?
 *
 * @param {unknown} written what `thisProcess` gave there
 */
export function hasEnded(written) {
  const holder = read(written);
  if (holder === null || holder.pid === process.pid || holder.place !== placeOf()) return false;
  const started = startOf(holder.pid);
  if (started === null) return !exists(holder.pid);
  return started === '' || started !== holder.started;
}

/**
 * @param {unknown} written
 * @returns {Holder | null}
 */
function read(written) {
  try {
    const holder = JSON.parse(String(written));
    const { place, pid, started } = holder;
    const isHolder = typeof place === 'string' && Number.isSafeInteger(pid) && typeof started === 'string';
    return isHolder ? holder : null;
  } catch {
    return null;
  }
}

/** Since when the machine runs and which processes it shows us, where that can be read; else its name. */
function placeOf() {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/**
 * When a process began, as proc(5) has it in field 22 of its `stat`.
 *
 * @param {number} pid
 * @returns {string | null} empty for one that has ended and was not waited for; null where nothing can be read
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before these fields may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return 'ZX'.includes(/** @type {string} */ (fields[0])) ? '' : /** @type {string} */ (fields[19]);
  } catch {
    return null;
  }
}

/** @param {number} pid */
function exists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {{ code?: string }} */ (error).code !== 'ESRCH';
  }
}
