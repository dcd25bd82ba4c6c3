// @ts-check
/** The wasm module as it is inlined: packed by the build, unpacked by the package. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { root } from '../../scripts/process.mjs';
import { pack as packWith } from '../../scripts/setup/pack.mjs';
import { lengthOf } from '../../scripts/setup/wasm-bytes.mjs';
import { modulesDir, pkgDir, wasmFile } from './installed.mjs';

const { unpack } = await import(pathToFileURL(join(modulesDir, 'engine/unpack.js')).href);
const inline = join(pkgDir, 'engine/wasm-inline.js');
const source = readFileSync(inline, 'utf8');
const program = /unpack\("([\w+/=]+)"/.exec(source)?.[1] ?? '';

const packer = readFileSync(join(root, '.cache/generated/engine/pack.wasm'));
const pack = (/** @type {Uint8Array} */ wasm) => packWith(packer, wasm);

/** @param {Uint8Array} wasm */
function unpacked(wasm) {
  return unpack(program, pack(wasm).text, wasm.length);
}

/** @param {...(number | Iterable<number>)} parts */
const bytes = (...parts) => parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part]));
/** @param {Iterable<number>} body */
const sized = (body) => bytes(lengthOf([...body].length), body);

const number = fc.oneof(fc.nat(127), fc.nat(), fc.constant(2 ** 28)).map((value) => [...lengthOf(value)]);
const raw = (/** @type {number} */ length) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => [...array]);
const numbers = (/** @type {number} */ most) =>
  fc.array(number, { maxLength: most }).map((list) => bytes(list.length, list.flat()));
const counted = (/** @type {number} */ count) =>
  fc.array(number, { minLength: count, maxLength: count }).map((list) => list.flat());

/**
 * Instructions with what follows them.
 *
 * @param {number[]} codes
 * @param {...fc.Arbitrary<number[]>} operands
 */
const instruction = (codes, ...operands) =>
  fc.tuple(fc.constantFrom(...codes), ...operands).map(([code, ...rest]) => bytes(code, rest.flat()));
const range = (/** @type {number} */ first, /** @type {number} */ last) =>
  Array.from({ length: last - first + 1 }, (_, place) => first + place);

const simple = fc.oneof(
  instruction([0x00, 0x01, 0x0f, 0x1a, 0x1b, ...range(0x45, 0xc4), 0xd1]),
  instruction([0x0c, 0x0d, 0x10, ...range(0x20, 0x26), 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2], number),
  instruction(range(0x28, 0x3e), fc.constant([0]), number),
  instruction([0x11], number, number),
  instruction([0x43], raw(4)),
  instruction([0x44], raw(8)),
  instruction([0x1c], numbers(4)),
  instruction([0x0e], numbers(20), number),
  instruction(
    [0xfc],
    fc.constantFrom(...range(0, 7)).map((code) => [code]),
  ),
  instruction(
    [0xfc],
    fc.constantFrom(9, 11, 13, 15, 16, 17).map((code) => [code]),
    number,
  ),
  instruction(
    [0xfc],
    fc.constantFrom(8, 10, 12, 14).map((code) => [code]),
    counted(2),
  ),
);
const block = fc.letrec((tie) => ({
  block: fc
    .tuple(fc.constantFrom(2, 3, 4), fc.constantFrom(0x40, 0x7f), tie('body'))
    .map(([code, type, body]) => bytes(code, type, /** @type {number[]} */ (body), 0x0b)),
  body: fc
    .array(fc.oneof({ depthSize: 'small' }, { weight: 9, arbitrary: simple }, tie('block')))
    .map((list) => /** @type {number[][]} */ (list).flat()),
})).body;
const locals = fc.array(fc.tuple(number, fc.constantFrom(0x7f, 0x7e, 0x7c)), { maxLength: 3 });
const code = fc.tuple(locals, fc.oneof({ weight: 9, arbitrary: block }, fc.constant(Array(20_000).fill(1))));
const functions = code.map(([groups, body]) => sized(bytes(groups.length, groups.flat(2), body, 0x0b)));
const section = fc.tuple(fc.constantFrom(0, 1, 11), fc.uint8Array({ maxLength: 400 }));
const sections = fc.array(section.map(([id, body]) => bytes(id, sized(body)))).map((list) => list.flat());

/** Modules as far as packing looks at them: they need not be valid. */
const modules = fc
  .tuple(sections, fc.array(functions, { maxLength: 200 }), sections)
  .map(([before, list, after]) => {
    const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
    const body = bytes(lengthOf(list.length), list.flat());
    return Uint8Array.from(bytes(header, before, 10, sized(body), after));
  });

test('what the package unpacks is its module', async () => {
  const { file, inlined } = await import(pathToFileURL(inline).href);
  assert.equal(join(pkgDir, file), wasmFile);
  assert.ok(readFileSync(wasmFile).equals(inlined()));
});

test('what is packed is unpacked again', () => {
  fc.assert(
    fc.property(modules, (wasm) => {
      assert.deepEqual(unpacked(wasm), wasm);
      assert.deepEqual(pack(wasm).wasm, wasm);
    }),
  );
});

test('the text stands for itself in JavaScript and in HTML', () => {
  fc.assert(
    fc.property(modules, (wasm) => {
      // None that ends a text or begins an escape. That it doesn't spell `</SCRIPT`, the build checks.
      assert.match(pack(wasm).text, /^[ -&(-[\]-~]*$/);
    }),
    { numRuns: 20 },
  );
});

/** A module with one function that loads a number from its argument, and says so of its address. */
const loading = (/** @type {number} */ alignment) =>
  Uint8Array.from(
    bytes(
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      [1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f],
      [3, 2, 1, 0],
      [5, 3, 1, 0, 1],
      [7, 8, 1, 4, ...Buffer.from('load'), 0, 0],
      [10, 9, 1, 7, 0, 0x20, 0, 0x28, alignment, 4, 0x0b],
      [11, 11, 1, 0, 0x41, 5, 0x0b, 5, 1, 2, 3, 4, 5],
    ),
  );

test('a load gives the same without its alignment', () => {
  for (const alignment of [0, 1, 2]) {
    const { wasm } = pack(loading(alignment));
    assert.deepEqual(wasm, loading(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm));
    const { load } = /** @type {{ load: (at: number) => number }} */ (/** @type {unknown} */ (exports));
    assert.equal(load(1), 0x04030201);
  }
});

test('an instruction that is not known is named', () => {
  const wasm = (/** @type {number[]} */ ...body) =>
    Uint8Array.from(bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], 10, sized(bytes(1, sized([0, ...body, 0x0b])))));
  assert.throws(() => pack(wasm(0xfd, 0x0c)), /instruction 0xfd/);
  assert.throws(() => pack(wasm(0xfc, 0x20)), /instruction 0xfc20/);
  assert.throws(() => pack(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)), /no code/);
});
