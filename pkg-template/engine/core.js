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

/**
 * Loads the module where that was not done yet: it takes longer than all of an import, and a page or a command that imports
 * the package may need it late or never.
 *
 * @param {() => any} load gives the exports of the module
 */
export function needCore(load) {
  if (core !== undefined) return;
  core = load();
  registersAt = core.head_registers();
  registers = new Float64Array(core.memory.buffer, registersAt, COUNT);
}

/** The numbers of the head that is being loaded. A memory that grew has a new buffer. */
export function headRegisters() {
  if (registers.length === 0) registers = new Float64Array(core.memory.buffer, registersAt, COUNT);
  return registers;
}
