// @ts-check
/** wasm-bindgen names each import after its function and a hash, in the module and in the glue: a fortieth of the package. */
import { lengthOf, readLength } from './wasm-bytes.mjs';

const IMPORT_SECTION = 2;

/** The one module that all imports are from. */
export const IMPORTS = 'm';

/** @typedef {{ file: string, name: string, short: string }} Import where it was imported from, and its names */

/**
 * Gives every import a short name, and lets all be from one module.
 *
 * @param {Buffer} wasm
 * @returns {{ wasm: Buffer, imports: Import[] }}
 */
export function shortenImports(wasm) {
  /** @type {Import[]} */
  const imports = [];
  /** @type {Uint8Array[]} */
  const parts = [wasm.subarray(0, 8)];
  for (let at = 8; at < wasm.length; ) {
    const id = /** @type {number} */ (wasm[at]);
    const { value: length, next } = readLength(wasm, at + 1);
    const body = wasm.subarray(next, next + length);
    const written = id === IMPORT_SECTION ? renamed(body, imports) : body;
    parts.push(Uint8Array.of(id), lengthOf(written.length), written);
    at = next + length;
  }
  return { wasm: Buffer.concat(parts), imports };
}

/**
 * @param {Buffer} section the body of an import section
 * @param {Import[]} imports is added what is imported
 */
function renamed(section, imports) {
  const { value: count, next } = readLength(section, 0);
  /** @type {Uint8Array[]} */
  const parts = [lengthOf(count)];
  const written = (/** @type {string} */ name) => Buffer.from([name.length, ...Buffer.from(name)]);
  for (let left = count, at = next; left > 0; left--) {
    const file = readName(section, at);
    const field = readName(section, file.next);
    const end = endOfType(section, field.next);
    const short = shortName(imports.length);
    imports.push({ file: file.name, name: field.name, short });
    parts.push(written(IMPORTS), written(short), section.subarray(field.next, end));
    at = end;
  }
  return Buffer.concat(parts);
}

/** @param {number} place */
const shortName = (place) => String.fromCharCode(97 + Math.floor(place / 26), 97 + (place % 26));

/**
 * @param {Buffer} section
 * @param {number} at where the kind of an import stands
 */
function endOfType(section, at) {
  const kind = section[at];
  const limits = (/** @type {number} */ from) => {
    const least = readLength(section, from + 1).next;
    return /** @type {number} */ (section[from] & 1) === 1 ? readLength(section, least).next : least;
  };
  if (kind === 0) return readLength(section, at + 1).next;
  if (kind === 1) return limits(at + 2);
  if (kind === 2) return limits(at + 1);
  if (kind === 3) return at + 3;
  throw new Error(`An import of kind ${kind}, which this doesn't know`);
}

/**
 * @param {Buffer} bytes
 * @param {number} at
 */
function readName(bytes, at) {
  const { value, next } = readLength(bytes, at);
  return { name: Buffer.from(bytes.subarray(next, next + value)).toString(), next: next + value };
}
