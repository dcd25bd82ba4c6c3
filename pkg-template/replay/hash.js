// @ts-check
import { JobwrightError } from '../parts/errors.js';

/** How a value begins that was replaced by its hash. */
export const HASHED = 'sha256:';

const encoder = new TextEncoder();

/**
 * The SHA-256 of a text, as hexadecimal digits.
 *
 * @param {string} text
 */
export async function sha256(text) {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    throw new JobwrightError('Hashing needs crypto.subtle, which a page has that was loaded over HTTPS', {
      code: 'unsupported',
    });
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', encoder.encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
