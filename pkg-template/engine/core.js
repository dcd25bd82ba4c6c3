// @ts-check

/**
 * The exports of the wasm module, and the nine numbers it reads a job's head from.
 *
 * @type {any}
 */
export let core;

const COUNT = 9;

let registersAt = 0;
let registers = new Float64Array(COUNT);

/** @param {any} exports */
export function bindCore(exports) {
  if (core === exports) return;
  core = exports;
  registersAt = core.head_registers();
  registers = new Float64Array(core.memory.buffer, registersAt, COUNT);
}

/** The numbers of the head that is being loaded. A memory that grew has a new buffer. */
export function headRegisters() {
  if (registers.length === 0) registers = new Float64Array(core.memory.buffer, registersAt, COUNT);
  return registers;
}
