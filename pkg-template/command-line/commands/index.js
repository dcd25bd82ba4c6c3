// @ts-check
/** Every command, in the order in which help shows them. A new one is a file beside this, and a line here. */

import { pauseAll, startAll, stopAll } from './all.js';
import { dashboard } from './dashboard.js';
import { fork } from './fork.js';
import { approve, reject, start } from './going-on.js';
import { graph } from './graph.js';
import { exportRun, replay, verify } from './histories.js';
import { list } from './list.js';
import { simulate, validate } from './plans.js';
import { prune } from './prune.js';
import { run } from './run.js';
import { show } from './show.js';
import { cancel, pause, signal } from './steering.js';
import { watch } from './watch.js';

/** @type {import('../program.js').Command[]} */
export const commands = [
  run,
  ...[list, show, watch, dashboard],
  ...[start, pause, cancel, approve, reject, signal],
  ...[pauseAll, startAll, stopAll],
  ...[validate, simulate, graph],
  ...[exportRun, verify, replay, fork, prune],
];
