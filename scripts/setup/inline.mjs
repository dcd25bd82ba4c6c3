// @ts-check
import { unpack } from '../../pkg-template/engine/unpack.js';

export const inlineDeclarations = `/** The module's place in the package, where that is not bundled. */
export const file: string;
export function inlined(): Uint8Array<ArrayBuffer>;
`;

/**
 * The JavaScript file that holds the module.
 *
 * @param {string} file the module's place in the package
 * @param {{ text: string, wasm: Uint8Array }} packed
 * @param {Buffer} unpacker tools/unpack, compiled
 */
export function inline(file, { text, wasm }, unpacker) {
  if (!(/** @type {any} */ (globalThis).WebAssembly.validate(Uint8Array.from(wasm))))
    throw new Error('What was packed is no module any more');
  if (/<\/?script/i.test(text)) throw new Error('The text would end the script it stands in');
  const program = unpacker.toString('hex');
  if (Buffer.compare(wasm, unpack(program, text, wasm.length)) !== 0) {
    throw new Error('What was packed is not what is unpacked: tools/pack and tools/unpack differ');
  }
  return `import { unpack } from './unpack.js';

export const file = '${file}';
export const inlined = () => unpack('${program}', '${text}', ${wasm.length});
`;
}
