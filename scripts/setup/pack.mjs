// @ts-check
/** Writes a wasm module as a short text, by means of tools/pack; tools/unpack reads it. */
import { readLength } from './wasm-bytes.mjs';

const CODE_SECTION = 10;

/**
 * What is packed says nothing of how addresses are aligned: a hint that no engine on today's processors takes.
 *
 * @param {Uint8Array} packer tools/pack, compiled
 * @param {Uint8Array} wasm
 * @returns {{ text: string, wasm: Uint8Array }} the text, and the module as it is unpacked from it
 */
export function pack(packer, wasm) {
  const { before, after } = around(wasm);
  const { Instance, Module } = /** @type {any} */ (globalThis).WebAssembly;
  const { memory, pack, unknown } = new Instance(new Module(Uint8Array.from(packer))).exports;
  const start = memory.buffer.byteLength;
  // Whatever the module holds, neither is longer.
  const most = 2 * wasm.length + 10_000;
  memory.grow(Math.ceil((2 * wasm.length + 2 * most) / 65_536));
  new Uint8Array(memory.buffer).set(wasm, start);
  const [plain, bits] = [start + wasm.length, start + 2 * wasm.length];
  const text = bits + most;
  let length = 0;
  try {
    length = pack(start, before, after, plain, bits, text);
  } catch (error) {
    if (unknown() === 0) throw error;
    throw new Error(`An instruction 0x${unknown().toString(16)}, which this doesn't know`, { cause: error });
  }
  return {
    text: Buffer.from(memory.buffer, text, length).toString('latin1'),
    wasm: new Uint8Array(memory.buffer).slice(plain, plain + wasm.length),
  };
}

/**
 * How many bytes stand before the size of the code section, and how many after the section.
 *
 * @param {Uint8Array} wasm
 */
function around(wasm) {
  for (let at = 8; at < wasm.length; ) {
    const { value: length, next } = readLength(wasm, at + 1);
    if (wasm[at] === CODE_SECTION) return { before: at + 1, after: wasm.length - next - length };
    at = next + length;
  }
  throw new Error('The module has no code');
}
