// @ts-check
/** Writes a wasm module as a text that gzip makes short. tools/unpack reads it. */
import { kindNumbers, splitStreams, streams } from './split-streams.mjs';

/** Characters that stand for themselves in a JavaScript text, in HTML, and in every encoding. */
const letters = Array.from({ length: 95 }, (_, place) => String.fromCharCode(32 + place)).filter(
  (letter) => !'"\'`\\$<&'.includes(letter),
);
/** How many letters stand for a byte alone; each of the others begins a pair. */
const single = letters.length - 2;

/** Streams that are written with the same letters begin here; tools/unpack has the same. */
const alphabets = /** @type {const} */ (['instruction', 'get', 'other']);

/**
 * A byte is always the same letter or pair of letters within one alphabet, and the frequent bytes are letters: in
 * base64, which cuts bytes across letters, gzip would find little to shorten.
 *
 * @param {Uint8Array} wasm without alignments
 * @returns {{ text: string, streams: number }} and how many bytes the streams are
 */
export function pack(wasm) {
  const { before, streams: bytes } = splitStreams(wasm);
  const texts = alphabets.map((first, place) => {
    const from = streams.indexOf(first);
    const next = alphabets[place + 1];
    return inLetters(bytes.slice(from, next && streams.indexOf(next)).flat());
  });
  const lengths = bytes.map((stream) => stream.length);
  return {
    text: [
      ...letters,
      ...kindNumbers.map((kind) => letters[kind]),
      ...[before, ...lengths].map(number),
      ...texts,
    ].join(''),
    streams: lengths.reduce((sum, length) => sum + length),
  };
}

/** @param {number} value */
function number(value) {
  if (value >= 64 ** 4) throw new Error(`${value} is too much to be written in four letters`);
  return [18, 12, 6, 0].map((shift) => letters[(value >> shift) & 63]).join('');
}

/**
 * The alphabet, and the bytes in it.
 *
 * @param {number[]} bytes
 */
function inLetters(bytes) {
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte] += 1;
  const byFrequency = counts.map((_, byte) => byte).sort((a, b) => counts[b] - counts[a]);
  const frequent = new Set(byFrequency.slice(0, single));
  const places = new Array(256);
  let [few, many] = [0, single];
  for (let byte = 0; byte < 256; byte++) places[byte] = frequent.has(byte) ? few++ : many++;
  const codes = places.map((place) =>
    place < single
      ? letters[place]
      : letters[single + Math.floor(place / single) - 1] + letters[place % single],
  );
  const listed = Array.from({ length: 64 }, (_, four) =>
    [0, 1, 2, 3].reduce((bits, one) => bits | (Number(frequent.has(four * 4 + one)) << one), 0),
  );
  return listed.map((bits) => letters[bits]).join('') + bytes.map((byte) => codes[byte]).join('');
}
