// @ts-check

/**
 * The exports of the wasm module, and the eight numbers it reads a job's head from.
 *
 * @type {any}
 */
export let core;

let registersAt = 0;
let registers = new Float64Array(8);

/** @param {any} exports */
export function bindCore(exports) {
  if (core === exports) return;
  core = exports;
  registersAt = core.head_registers();
  registers = new Float64Array(core.memory.buffer, registersAt, 8);
}

/** The numbers of the head that is being loaded. A memory that grew has a new buffer. */
export function headRegisters() {
  if (registers.length === 0) registers = new Float64Array(core.memory.buffer, registersAt, 8);
  return registers;
}
