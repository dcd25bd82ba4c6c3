// @ts-check
/** wasm-bindgen names each import after its function and a hash, in the module and in the glue: a fortieth of the package. */
import { lengthOf, readLength } from './wasm-bytes.mjs';

const IMPORT_SECTION = 2;

/**
 * Gives every import from the glue a short name, and the glue one too. What needs no glue is imported from the file
 * that has it, under its own name.
 *
 * @param {Buffer} wasm
 * @returns {{ wasm: Buffer, names: Map<string, string> }} the module, and the short names by the long ones
 */
export function shortenImports(wasm) {
  /** @type {Map<string, string>} */
  const names = new Map();
  /** @type {Uint8Array[]} */
  const parts = [wasm.subarray(0, 8)];
  for (let at = 8; at < wasm.length; ) {
    const id = /** @type {number} */ (wasm[at]);
    const { value: length, next } = readLength(wasm, at + 1);
    const body = wasm.subarray(next, next + length);
    const written = id === IMPORT_SECTION ? renamed(body, names) : body;
    parts.push(Uint8Array.of(id), lengthOf(written.length), written);
    at = next + length;
  }
  return { wasm: Buffer.concat(parts), names };
}

/**
 * @param {Buffer} section the body of an import section
 * @param {Map<string, string>} names
 */
function renamed(section, names) {
  const { value: count, next } = readLength(section, 0);
  /** @type {Uint8Array[]} */
  const parts = [lengthOf(count)];
  const shortName = (/** @type {string} */ long, /** @type {string} */ letter) => {
    const short = names.get(long) ?? letter + names.size;
    names.set(long, short);
    return Buffer.from([short.length, ...Buffer.from(short)]);
  };
  for (let left = count, at = next; left > 0; left--) {
    const module = readName(section, at);
    const field = readName(section, module.next);
    const end = endOfType(section, field.next);
    parts.push(
      ...(module.name.endsWith('_bg.js')
        ? [shortName(module.name, 'm'), shortName(field.name, 'i')]
        : [section.subarray(at, field.next)]),
      section.subarray(field.next, end),
    );
    at = end;
  }
  return Buffer.concat(parts);
}

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
