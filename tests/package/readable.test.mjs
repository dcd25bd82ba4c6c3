// @ts-check
/** What is shortened can still be read where it matters: in stack traces. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LINE } from '../../scripts/setup/shorten-names.mjs';
import { importPackage, pkgDir } from './installed.mjs';

const files = ['main', 'late/index', 'testing/index', 'sqlite/index', 'postgres/index', 'indexeddb/index'];

test('lines are short, and ASCII', () => {
  for (const file of files) {
    const lines = readFileSync(join(pkgDir, `${file}.js`), 'utf8').split('\n');
    // What can't be broken, as a sentence, makes a line longer.
    const long = lines.filter((line) => line.length > 2 * LINE);
    assert.deepEqual(long, [], file);
    assert.ok(lines.length > 20, file);
    assert.ok(
      lines.every((line) => /^[ -~]*$/.test(line)),
      file,
    );
  }
});

test('functions and classes have their names', async () => {
  const { createOrchestrator } = await importPackage('jobwright');
  const failed = (/** @type {() => void} */ act) => {
    try {
      act();
    } catch (error) {
      return String(/** @type {Error} */ (error).stack);
    }
    return '';
  };
  assert.match(
    failed(() => createOrchestrator({ store: 1 })),
    /at checkDependencies \([\s\S]*at new Engine \(/,
  );
  for (const file of files) {
    const source = readFileSync(join(pkgDir, `${file}.js`), 'utf8');
    const named = [...source.matchAll(/\b(?:function|class) (\w+)/g)].map(([, name = '']) => name);
    const short = named.filter((name) => name.length < 2);
    assert.deepEqual(short, [], file);
  }
});
