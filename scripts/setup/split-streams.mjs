// @ts-check
/**
 * What of a wasm module is alike, put side by side: first all instructions, then all numbers of locals, and so on. gzip
 * finds a sixth less to write in it than in the module, where an instruction is followed by its operands. It is put
 * together again by tools/unpack, which has the same table of instructions.
 */
import { readLength } from './wasm-bytes.mjs';

const CODE_SECTION = 10;

/** In the order in which they are written; tools/unpack has the same. */
export const streams = /** @type {const} */ ([
  'instruction',
  'get',
  'set',
  'block',
  'declaration',
  'misc',
  'call',
  'load',
  'store',
  'i32',
  'i64',
  'float',
  'other',
]);

/** @typedef {typeof streams[number]} Stream */
/** @typedef {(stream: Stream | 'alignment', from: number, to: number) => void} Visit is told which bytes are what */

/** What an instruction is followed by, where that is not one number of a stream. */
const kinds = /** @type {const} */ ({
  none: 0,
  opensBlock: 13,
  end: 14,
  table: 15,
  fourBytes: 16,
  eightBytes: 17,
  twoNumbers: 18,
  list: 19,
  long: 20,
});

/** @typedef {Stream | keyof typeof kinds} Kind */

/** Instructions by their first and last number. Any other is refused. */
const instructions = /** @type {readonly (readonly [first: number, last: number, kind: Kind])[]} */ ([
  [0x00, 0x01, 'none'],
  [0x02, 0x04, 'opensBlock'],
  [0x05, 0x05, 'none'],
  [0x0b, 0x0b, 'end'],
  [0x0c, 0x0d, 'block'],
  [0x0e, 0x0e, 'table'],
  [0x0f, 0x0f, 'none'],
  [0x10, 0x10, 'call'],
  [0x11, 0x11, 'twoNumbers'],
  [0x1a, 0x1b, 'none'],
  [0x1c, 0x1c, 'list'],
  [0x20, 0x20, 'get'],
  [0x21, 0x22, 'set'],
  [0x23, 0x26, 'misc'],
  [0x28, 0x35, 'load'],
  [0x36, 0x3e, 'store'],
  [0x3f, 0x40, 'misc'],
  [0x41, 0x41, 'i32'],
  [0x42, 0x42, 'i64'],
  [0x43, 0x43, 'fourBytes'],
  [0x44, 0x44, 'eightBytes'],
  [0x45, 0xc4, 'none'],
  [0xd0, 0xd0, 'misc'],
  [0xd1, 0xd1, 'none'],
  [0xd2, 0xd2, 'misc'],
  [0xfc, 0xfc, 'long'],
]);

/** How many numbers follow an instruction after the prefix 0xfc. */
const operandsOfLong = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

/** @type {(Kind | undefined)[]} */
const kindOf = Array.from(
  { length: 256 },
  (_, instruction) => instructions.find(([first, last]) => instruction >= first && instruction <= last)?.[2],
);

/** The kinds of all instructions as tools/unpack knows them: what is beyond the streams, by the numbers above. */
export const kindNumbers = kindOf.map((kind = 'none') =>
  kind in kinds
    ? kinds[/** @type {keyof typeof kinds} */ (kind)]
    : streams.indexOf(/** @type {Stream} */ (kind)),
);

/**
 * The bytes of every stream. Left out is what follows from the others: the alignments, which are all 0, the size of each
 * function and that of the code section.
 *
 * @param {Uint8Array} wasm of which `withoutAlignments` was made
 * @returns {{ before: number, streams: number[][] }} how many bytes stand before the size of the code section, and the streams
 */
export function splitStreams(wasm) {
  /** @type {Map<Stream | 'alignment', number[]>} */
  const bytes = new Map(streams.map((stream) => [stream, []]));
  const before = walk(wasm, (stream, from, to) => bytes.get(stream)?.push(...wasm.subarray(from, to)));
  return { before, streams: streams.map((stream) => bytes.get(stream) ?? []) };
}

/**
 * A load or store may state how its address is aligned: a hint that no engine on today's processors takes. Stating
 * nothing, always, costs nothing to write.
 *
 * @param {Uint8Array} wasm
 * @returns {Uint8Array}
 */
export function withoutAlignments(wasm) {
  const plain = Uint8Array.from(wasm);
  walk(wasm, (stream, from, to) => {
    if (stream === 'alignment') plain.fill(0, from, to);
  });
  return plain;
}

/**
 * @param {Uint8Array} wasm
 * @param {Visit} visit
 * @returns {number} how many bytes stand before the size of the code section
 */
function walk(wasm, visit) {
  for (let at = 8; at < wasm.length; ) {
    const { value: length, next } = readLength(wasm, at + 1);
    if (wasm[at] === CODE_SECTION) {
      visit('other', 0, at + 1);
      walkCode(wasm, next, visit);
      visit('other', next + length, wasm.length);
      return at + 1;
    }
    at = next + length;
  }
  throw new Error('The module has no code');
}

/**
 * @param {Uint8Array} wasm
 * @param {number} from
 * @param {Visit} visit
 */
function walkCode(wasm, from, visit) {
  let { value: count, next: at } = readLength(wasm, from);
  visit('declaration', from, at);
  for (; count > 0; count--) {
    const { value: length, next } = readLength(wasm, at);
    at = walkInstructions(wasm, walkDeclarations(wasm, next, visit), visit);
    if (at !== next + length) throw new Error(`A function ends at ${at} instead of ${next + length}`);
  }
}

/**
 * @param {Uint8Array} wasm
 * @param {number} from
 * @param {Visit} visit
 */
function walkDeclarations(wasm, from, visit) {
  let { value: groups, next: at } = readLength(wasm, from);
  for (; groups > 0; groups--) at = readLength(wasm, at).next + 1;
  visit('declaration', from, at);
  return at;
}

/**
 * The instructions of one function, up to the `end` that belongs to no block.
 *
 * @param {Uint8Array} wasm
 * @param {number} from
 * @param {Visit} visit
 */
function walkInstructions(wasm, from, visit) {
  let at = from;
  /** @param {Stream | 'alignment'} stream */
  const number = (stream) => {
    const { value, next } = readLength(wasm, at);
    visit(stream, at, next);
    at = next;
    return value;
  };
  /**
   * @param {Stream} stream
   * @param {number} length
   */
  const raw = (stream, length) => {
    visit(stream, at, at + length);
    at += length;
  };
  for (let depth = 1; depth > 0; ) {
    const instruction = /** @type {number} */ (wasm[at]);
    raw('instruction', 1);
    const kind = kindOf[instruction];
    if (kind === undefined)
      throw new Error(`An instruction 0x${instruction.toString(16)}, which this doesn't know`);
    if (kind === 'opensBlock') depth += 1;
    if (kind === 'end') depth -= 1;
    walkOperands(kind, number, raw);
  }
  return at;
}

/**
 * @param {Kind} kind
 * @param {(stream: Stream | 'alignment') => number} number
 * @param {(stream: Stream, length: number) => void} raw
 */
function walkOperands(kind, number, raw) {
  const numbers = (/** @type {Stream} */ stream, /** @type {number} */ count) => {
    for (let left = count; left > 0; left--) number(stream);
  };
  if (kind === 'none' || kind === 'end') return;
  if (kind === 'opensBlock') number('block');
  else if (kind === 'table') numbers('block', number('block') + 1);
  else if (kind === 'fourBytes') raw('float', 4);
  else if (kind === 'eightBytes') raw('float', 8);
  else if (kind === 'twoNumbers') numbers('misc', 2);
  else if (kind === 'list') numbers('misc', number('misc'));
  else if (kind === 'long') numbers('misc', operandsAfter(number('misc')));
  else {
    if (kind === 'load' || kind === 'store') number('alignment');
    number(kind);
  }
}

/** @param {number} instruction after the prefix 0xfc */
function operandsAfter(instruction) {
  const count = operandsOfLong[instruction];
  if (count === undefined) throw new Error(`An instruction 0xfc ${instruction}, which this doesn't know`);
  return count;
}
