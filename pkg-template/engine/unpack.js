// @ts-check

/**
 * The bytes of the wasm module. What unpacks them is a small wasm module itself (tools/unpack), because code that runs
 * only once is interpreted when it is JavaScript.
 *
 * @param {string} program in hexadecimal digits, which compress better than base64
 * @param {string} text
 * @param {number} length of the module
 */
export function unpack(program, text, length) {
  const wasm = Uint8Array.from(/** @type {string[]} */ (program.match(/../g)), (byte) => Number(`0x${byte}`));
  const { Instance, Module } = /** @type {any} */ (globalThis).WebAssembly;
  const { memory, unpack } = new Instance(new Module(wasm)).exports;
  const start = memory.buffer.byteLength;
  const module = start + text.length;
  memory.grow(Math.ceil((module + length - start) / 65_536));
  new TextEncoder().encodeInto(text, new Uint8Array(memory.buffer, start));
  unpack(start, module);
  // Copied, so that the memory is let go.
  return new Uint8Array(memory.buffer).slice(module, module + length);
}
