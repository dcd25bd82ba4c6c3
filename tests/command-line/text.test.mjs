// @ts-check
/** Whatever a text holds, a terminal gets letters. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { modulesDir } from '../package/installed.mjs';

const text = await import(pathToFileURL(join(modulesDir, 'command-line/text.js')).href);

/** All that is no letter, number, mark, sign or space. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/u;
/** Has a private use, or none yet: shown as a box. */
const BOX = /[\p{Co}\p{Cn}]/gu;

const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 });
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  units.map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom('\u001b[2J', '\u009b31m', 'a\u202eb', '\r\n\t', '\u{e0041}', '\ud800', '\u200d'),
);

test('plain texts are one line without anything hidden, and as long as they may be', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 50 }), (given, most) => {
      const shown = text.plain(given, most);
      assert.doesNotMatch(shown.replace(BOX, ''), HIDDEN);
      if (given.length > most) assert.ok(shown.endsWith(`… (${given.length} characters)`));
      else if (!HIDDEN.test(given.replace(BOX, ''))) assert.equal(shown, given);
    }),
  );
});

test('JSON stays what it was, and holds nothing hidden', () => {
  const anything = fc.object({ key: anyText, values: [anyText, fc.double(), fc.boolean()], maxDepth: 3 });
  fc.assert(
    fc.property(anything, (value) => {
      for (const indent of [undefined, 2]) {
        const shown = text.json(value, indent);
        assert.doesNotMatch(shown.replace(BOX, '').replaceAll('\n', ''), HIDDEN);
        assert.deepEqual(JSON.parse(shown), JSON.parse(JSON.stringify(value)));
      }
    }),
  );
});

test('a word for the shell is one word', () => {
  const words = ["it's", 'a b', '$HOME', '`x`', '"', '\\', '*', 'jobs.db', '', '; rm -rf x'].map(String);
  const printed = execFileSync('/bin/sh', [
    '-c',
    `printf '%s\\n' ${words.map(text.shellWord).join(' ')}`,
  ]).toString();
  assert.deepEqual(printed.trimEnd().split('\n'), words);
});

test('durations and tables', () => {
  const spans = [0, 999.4, 1_000, 59_940, 60_000, 3_661_000, 172_800_000].map(text.duration);
  assert.deepEqual(spans, ['0 ms', '999 ms', '1.0 s', '59.9 s', '1 min 0 s', '1 h 1 min', '2 days']);
  assert.deepEqual(
    text.table([
      ['a', 'bc', ''],
      ['def', 'g', 'h'],
    ]),
    ['a    bc', 'def  g   h'],
  );
});
