// @ts-check

/**
 * JSON as the core can read it. Half of a surrogate pair, which JSON can write and UTF-8 can't, becomes U+FFFD, as it
 * does in any text that crosses.
 *
 * @param {unknown} value
 */
export function jsonForCore(value) {
  return textForCore(JSON.stringify(value));
}

/** @param {string} text JSON */
export function textForCore(text) {
  // Of whole pairs there are no escapes. An escaped backslash is met as one, so that it begins no other escape.
  return text.includes('\\ud')
    ? text.replace(/\\(?:(ud[89a-f]..)|.)/g, (sequence, half) => (half ? '\ufffd' : sequence))
    : text;
}
