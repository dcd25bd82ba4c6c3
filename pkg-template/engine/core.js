// @ts-check
import { JobwrightError } from '../parts/errors.js';

/**
 * The exports of the wasm module, and the nine numbers it reads a job's head from.
 *
 * @type {any}
 */
export let core;

const COUNT = 9;

/**
 * A module's memory only grows. One that has grown by so much since it began is given up when nothing is under way in it.
 * What an orchestrator keeps there of the jobs that nothing is done with takes 2 MB where they have ten steps each: less
 * than this is soon there again, and little beside what else a process takes.
 */
const MUCH = 16 * 2 ** 20;

/** @type {() => any} */
let instantiate;
let registersAt = 0;
let registers = new Float64Array(COUNT);
let most = 0;
let hasGrown = false;

/**
 * Loads the module where that was not done yet: it takes longer than all of an import, and a page or a command that imports
 * the package may need it late or never.
 *
 * @param {() => any} load gives the exports of a new instance of the module
 */
export function needCore(load) {
  if (core !== undefined) return;
  try {
    take(load());
  } catch (cause) {
    throw new JobwrightError(whyNot(), { code: 'unsupported', cause });
  }
  instantiate = load;
  growsFromHere();
}

function whyNot() {
  // Node has none with --jitless, and Safari none in its lockdown mode.
  if (!('WebAssembly' in globalThis)) return "jobwright needs WebAssembly, which isn't there";
  // What a browser says itself has no code, and names another source than the one to allow.
  return (
    'The WebAssembly module can\'t be loaded. A bundle for workerd needs the export condition "workerd"; ' +
    "a page's Content-Security-Policy has to allow it: script-src 'wasm-unsafe-eval'"
  );
}

/** Goes on with a new instance of the module, which knows nothing, if there is room for one beside the old one. */
export function renewCore() {
  try {
    take(instantiate());
    return true;
  } catch {
    return false;
  }
}

/** @param {any} exports */
function take(exports) {
  core = exports;
  registersAt = core.head_registers();
}

/** What the module takes now is what it began with. */
export function growsFromHere() {
  most = core.memory.buffer.byteLength + MUCH;
  lookAgain();
}

/** A memory that grew has a new buffer. */
function lookAgain() {
  const { buffer } = core.memory;
  registers = new Float64Array(buffer, registersAt, COUNT);
  hasGrown = buffer.byteLength > most;
}

/** The numbers of the head that is being loaded. */
export function headRegisters() {
  if (registers.length === 0) lookAgain();
  return registers;
}

/** Has the module's memory grown so much that it is worth a new instance? */
export function isLarge() {
  if (registers.length === 0) lookAgain();
  return hasGrown;
}
