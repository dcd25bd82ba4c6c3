// @ts-check
import { unpack } from '../../pkg-template/engine/unpack.js';
import { pack } from './pack.mjs';

/**
 * The JavaScript file that holds the module.
 *
 * @param {Buffer} wasm
 * @param {Buffer} unpacker tools/unpack, compiled
 */
export function inlined(wasm, unpacker) {
  const program = unpacker.toString('base64');
  const { text, streams } = pack(wasm);
  if (!wasm.equals(unpack(program, text, streams, wasm.length))) {
    throw new Error(
      'What was packed is not what is unpacked: scripts/setup/pack.mjs and tools/unpack differ',
    );
  }
  return `import { unpack } from './unpack.js';

export const bytes = unpack('${program}', '${text}', ${streams}, ${wasm.length});
`;
}
