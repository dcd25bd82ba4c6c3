// @ts-check
/** Runs workloads, each contender in a process of its own, their order another in each turn. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure } from '../../scripts/process.mjs';
import { servers } from './servers.mjs';
import { rotated } from './statistics.mjs';

/**
 * @typedef {object} Task
 * @property {string} contender
 * @property {number} rounds how many figures are wanted
 * @property {any} sizes
 * @property {string} [url] of the server
 *
 * @typedef {Record<string, number[]>} Figures by metric
 *
 * @typedef {object} Due what has to be so of the package's figures
 * @property {string} [metric] default: each
 * @property {string} [against] a contender, or "libraries" for each that is not plain JavaScript
 * @property {string} [over] another metric of the package's own. With neither, the figure itself is meant
 * @property {number} atMost
 *
 * @typedef {object} Workload
 * @property {string} name
 * @property {string} title
 * @property {string} file the module that exports it, in a list named `workloads`
 * @property {Record<string, string>} metrics their units
 * @property {string[]} contenders
 * @property {string[]} [peers] those that run with `--peers`
 * @property {object} [peerSizes] what of `sizes` is other for them: most are slow
 * @property {Record<string, keyof typeof servers>} [servers] other than `server`, by contender
 * @property {object} sizes how much is done, and with which settings
 * @property {object} quick what of it is smaller when only the harness is tried
 * @property {number} [perProcess] figures that one process gives
 * @property {number} [mostRepeats] where more say no more, as of bytes
 * @property {keyof typeof servers} [server]
 * @property {string[]} [flags] for Node
 * @property {Due[]} due
 * @property {(task: Task) => Promise<Figures>} measure
 */

const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));
const MOST_MS = 15 * 60_000;

/**
 * @param {Workload} workload
 * @param {import('./arguments.mjs').Options} options
 * @returns {Promise<Map<string, Figures>>} by contender
 */
export async function runWorkload(workload, { peers, quick, repeats: wanted }) {
  const contenders = [...workload.contenders, ...(peers ? (workload.peers ?? []) : [])];
  const repeats = Math.min(wanted, workload.mostRepeats ?? wanted);
  const rounds = Math.min(repeats, workload.perProcess ?? 3);
  const own = { ...workload.sizes, ...(quick ? workload.quick : {}) };
  /** @param {string} contender */
  const sizesOf = (contender) =>
    workload.peers?.includes(contender) && !quick ? { ...own, ...workload.peerSizes } : own;
  const started = new Map();
  /** @param {string} contender */
  const urlFor = async (contender) => {
    const name = workload.servers?.[contender] ?? workload.server;
    if (name === undefined) return undefined;
    if (!started.has(name)) started.set(name, await servers[name]());
    return started.get(name).url;
  };
  try {
    /** @type {Map<string, Figures>} */
    const all = new Map(contenders.map((contender) => [contender, {}]));
    for (let turn = 0; turn * rounds < repeats; turn++) {
      for (const contender of rotated(contenders, turn)) {
        const task = { contender, rounds, sizes: sizesOf(contender), url: await urlFor(contender) };
        add(/** @type {Figures} */ (all.get(contender)), await inProcess(workload, task));
      }
    }
    return all;
  } finally {
    for (const server of started.values()) await server.stop();
  }
}

/**
 * @param {Figures} all
 * @param {Figures} more
 */
function add(all, more) {
  for (const [metric, values] of Object.entries(more)) all[metric] = [...(all[metric] ?? []), ...values];
}

/**
 * @param {Workload} workload
 * @param {Task} task
 * @returns {Promise<Figures>}
 */
function inProcess({ name, file, flags = [] }, task) {
  return new Promise((resolve, reject) => {
    const child = fork(worker, [JSON.stringify({ ...task, file, workload: name })], {
      execArgv: flags,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      timeout: MOST_MS,
    });
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said = (said + chunk).slice(-10_000);
    });
    /** @type {Figures | undefined} */
    let figures;
    child.once('message', (message) => {
      figures = /** @type {Figures} */ (message);
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (figures !== undefined) resolve(figures);
      else reject(new Failure(`${name}, ${task.contender}: ended with exit code ${code}\n${said}`));
    });
  });
}
