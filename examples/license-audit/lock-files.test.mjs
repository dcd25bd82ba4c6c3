// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLockFile, statedLicence } from './lock-files.mjs';

test('Cargo.lock: what has a source is a dependency, the rest is the project', () => {
  const registry = 'registry+https://example.com/index';
  const text = `version = 4

[[package]]
name = "ours"
version = "0.1.0"
dependencies = [
 "b",
 "a 1.0.0",
]

[[package]]
name = "b"
version = "0.2.0-rc.1+x"
source = "${registry}"
checksum = "00"

[[package]]
name = "a"
version = "1.0.0"
source = "git+https://example.com/a?branch=name#0123"
`;
  assert.deepEqual(readLockFile(text, 'sub/Cargo.lock'), {
    packages: [
      {
        id: 'sub/Cargo.lock: a 1.0.0 git+https://example.com/a?branch=name#0123',
        ecosystem: 'cargo',
        name: 'a',
        version: '1.0.0',
        lock: 'sub/Cargo.lock',
        source: 'git+https://example.com/a?branch=name#0123',
      },
      {
        id: `sub/Cargo.lock: b 0.2.0-rc.1+x ${registry}`,
        ecosystem: 'cargo',
        name: 'b',
        version: '0.2.0-rc.1+x',
        lock: 'sub/Cargo.lock',
        source: registry,
      },
    ],
    own: 1,
  });
});

test('Cargo.lock with other line ends, and with nothing', () => {
  const text = '[[package]]\r\nname = "a"\r\nversion = "1.0.0"\r\nsource = "registry+x"\r\n';
  assert.equal(readLockFile(text, 'Cargo.lock').packages[0].name, 'a');
  assert.deepEqual(readLockFile('version = 4\n', 'Cargo.lock'), { packages: [], own: 0 });
  assert.throws(
    () => readLockFile('[[package]]\nname = "a"\n', 'Cargo.lock'),
    /^Error: Cargo.lock has a package without/,
  );
});

/** @param {object} packages */
const npmLock = (packages) =>
  readLockFile(JSON.stringify({ lockfileVersion: 3, packages }), 'package-lock.json');

test('package-lock.json: each version once, by its real name, without links and workspaces', () => {
  const { packages, own } = npmLock({
    '': { name: 'ours', version: '1.0.0' },
    'packages/part': { version: '1.0.0' },
    'node_modules/part': { resolved: 'packages/part', link: true },
    'node_modules/z': { version: '1.0.0', license: 'MIT' },
    'node_modules/a/node_modules/z': { version: '2.0.0' },
    'node_modules/b/node_modules/z': { version: '2.0.0' },
    'node_modules/@s/a': { version: '1.0.0', license: { type: 'ISC' } },
    'node_modules/alias': { name: 'real', version: '3.0.0' },
  });
  assert.equal(own, 2);
  assert.deepEqual(
    packages.map(({ name, version, path, stated }) => [name, version, path, stated]),
    [
      ['@s/a', '1.0.0', 'node_modules/@s/a', 'ISC'],
      ['real', '3.0.0', 'node_modules/alias', undefined],
      ['z', '1.0.0', 'node_modules/z', 'MIT'],
      ['z', '2.0.0', 'node_modules/a/node_modules/z', undefined],
    ],
  );
});

test('package-lock.json of npm 6', () => {
  const text = JSON.stringify({
    lockfileVersion: 1,
    dependencies: { a: { version: '1.0.0', dependencies: { b: { version: '2.0.0' } } } },
  });
  const { packages } = readLockFile(text, 'package-lock.json');
  assert.deepEqual(
    packages.map(({ path }) => path),
    ['node_modules/a', 'node_modules/a/node_modules/b'],
  );
});

test('what is no lock file is refused with a sentence', () => {
  for (const text of ['', '{', '3', 'null']) {
    assert.throws(() => readLockFile(text, 'package-lock.json'), /package-lock.json is not a lock file/);
  }
  assert.throws(() => npmLock({ 'node_modules/a': {} }), /gives no version for node_modules\/a\./);
  assert.throws(() => npmLock({ 'node_modules/a': null }), /gives no version for node_modules\/a\./);
});

test('the licence of a package.json, today and of old', () => {
  assert.equal(statedLicence({ license: 'MIT' }), 'MIT');
  assert.equal(statedLicence({ license: { type: 'MIT', url: 'x' } }), 'MIT');
  assert.equal(statedLicence({ licenses: [{ type: 'MIT' }, { type: 'ISC' }] }), 'MIT OR ISC');
  assert.equal(statedLicence({ licenses: ['MIT', 7] }), 'MIT');
  for (const manifest of [
    null,
    undefined,
    {},
    7,
    { license: '' },
    { license: 7 },
    { licenses: [] },
    { licenses: 'x' },
  ]) {
    assert.equal(statedLicence(manifest), null);
  }
});
