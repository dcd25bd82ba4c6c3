// @ts-check
import { unpack } from '../../pkg-template/engine/unpack.js';
import { pack } from './pack.mjs';

export const inlineDeclarations = `/** The module's place in the package, where that is not bundled. */
export const file: string;
export function inlined(): Uint8Array<ArrayBuffer>;
`;

/**
 * The JavaScript file that holds the module.
 *
 * @param {string} file the module's place in the package
 * @param {Uint8Array} wasm
 * @param {Buffer} unpacker tools/unpack, compiled
 */
export function inline(file, wasm, unpacker) {
  const program = unpacker.toString('base64');
  const { text, streams } = pack(wasm);
  if (Buffer.compare(wasm, unpack(program, text, streams, wasm.length)) !== 0) {
    throw new Error(
      'What was packed is not what is unpacked: scripts/setup/pack.mjs and tools/unpack differ',
    );
  }
  return `import { unpack } from './unpack.js';

export const file = '${file}';
export const inlined = () => unpack('${program}', '${text}', ${streams}, ${wasm.length});
`;
}
