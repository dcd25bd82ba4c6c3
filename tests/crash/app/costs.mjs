// @ts-check
/** What a call costs and how often it fails first: drawn from its key, so that every process says the same of it. */

/** What the plans say that a call costs; what it really costs is at most that. */
export const ESTIMATE = 3;

/** @param {string} key */
export const costOf = (key) => hash(key) % (ESTIMATE + 1);

/** How many attempts of a flaky call fail. @param {string} key */
export const failuresOf = (key) => (hash(`${key} fails`) % 5 === 0 ? 2 : hash(`${key} fails`) % 2);

/** How long a call takes, in milliseconds. @param {string} key */
export const durationOf = (key) => hash(`${key} takes`) % 6;

/** FNV-1a, 32 bits, with its low bits mixed in again. @param {string} text */
function hash(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
