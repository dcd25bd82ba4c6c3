// @ts-check

// Random bytes come and become hex by the page, a third of the time that one id at a time takes. A page is
// small because every id cut from it keeps it in memory.
const bytes = new Uint8Array(1024);
const digits = new Uint8Array(bytes.length * 2);
const DIGIT_CODES = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const decoder = new TextDecoder();
let page = '';
let used = 0;

function turnPage() {
  crypto.getRandomValues(bytes);
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    digits[2 * i] = DIGIT_CODES[byte >> 4] ?? 0;
    digits[2 * i + 1] = DIGIT_CODES[byte & 15] ?? 0;
  }
  page = decoder.decode(digits);
  used = 0;
}

/**
 * @param {number} length
 * @returns {string} that many random hex digits, not all zero, which W3C trace context keeps for "none"
 */
function take(length) {
  if (used + length > page.length) turnPage();
  const id = page.slice(used, used + length);
  used += length;
  return id.charCodeAt(0) !== 48 || /[^0]/.test(id) ? id : take(length);
}

/** A W3C span id: 16 hex digits. */
export function newSpanId() {
  return take(16);
}

/** A W3C trace id: 32 hex digits. */
export function newTraceId() {
  return take(32);
}
