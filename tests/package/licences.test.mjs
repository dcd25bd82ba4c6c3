// @ts-check
/** The licences of the libraries that the dashboard's page holds. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/process.mjs';
import { writeLicences } from '../../scripts/setup/licences.mjs';
import { pkgDir } from './installed.mjs';

const oneLine = (/** @type {string} */ text) => text.replaceAll(/\s+/g, ' ').trim();

test('each library is named, with its notice and its terms', () => {
  const text = readFileSync(join(pkgDir, 'dashboard/LICENCES.txt'), 'utf8');
  const parts = text.split('\n---\n');
  /** @type {{ name: string, version: string, text: string }[]} */
  const libraries = JSON.parse(readFileSync(join(root, '.cache/page/dashboard/licences.json'), 'utf8'));
  assert.ok(libraries.length > 10);
  for (const { name, version, text: licence } of libraries) {
    const part = parts.find((one) => one.includes(`\n${name} ${version} (`)) ?? '';
    for (const paragraph of licence.split(/\n\s*\n/).map(oneLine)) {
      if (paragraph === '' || /^[\w ]+ License( \(\w+\))?$/.test(paragraph)) continue;
      assert.ok(oneLine(part).includes(paragraph), `${name}: ${paragraph}`);
    }
  }
});

test('terms with the same words are written once, all others as they are', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-licences-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'LICENCES.txt');
  const licences = [
    { name: 'a 1', text: 'MIT License\n\nCopyright A\n\nYou may\nuse it.\n\nNo warranty.' },
    { name: 'b 1', text: 'Copyright B\n\nYou may use it.\n\nNo\nwarranty.' },
    { name: 'c 1', text: 'Copyright A\n\nYou may use it, but not today.' },
    { name: 'd 1', text: 'Do what you like.' },
    { name: 'e 1', text: 'Copyright E' },
  ];
  writeLicences(licences, 'This holds', file);
  assert.equal(
    readFileSync(file, 'utf8'),
    [
      'This holds these libraries.',
      'a 1\nCopyright A\n\nb 1\nCopyright B\n\nYou may\nuse it.\n\nNo warranty.',
      'c 1\nCopyright A\n\nYou may use it, but not today.',
      'd 1\n\nDo what you like.',
      'e 1\n\nCopyright E\n',
    ].join('\n\n---\n\n'),
  );
});
