// @ts-check
/** Reading and writing the numbers of a wasm module. */

/**
 * An unsigned LEB128 number.
 *
 * @param {Uint8Array} bytes
 * @param {number} from
 */
export function readLength(bytes, from) {
  let value = 0;
  for (let at = from, shift = 0; ; at++, shift += 7) {
    const byte = /** @type {number} */ (bytes[at]);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, next: at + 1 };
  }
}

/** @param {number} value */
export function lengthOf(value) {
  const bytes = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) return Uint8Array.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}
