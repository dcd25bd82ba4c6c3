// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countVerdicts, writeMarkdown } from './report.mjs';

/**
 * @param {string} name
 * @param {import('./licences.mjs').Verdict} verdict
 * @param {Partial<import('./agents.mjs').Judged>} [more]
 * @returns {import('./agents.mjs').Judged}
 */
const row = (name, verdict, more) => ({
  id: `package-lock.json: ${name} 1.0.0`,
  ecosystem: 'npm',
  name,
  version: '1.0.0',
  lock: 'package-lock.json',
  licence: 'MIT',
  from: 'node_modules',
  verdict,
  why: 'so',
  ...more,
});

/**
 * @param {import('./agents.mjs').Judged[]} judged
 * @param {Partial<import('./report.mjs').Findings>} [more]
 */
const write = (judged, more) =>
  writeMarkdown({
    subject: { name: 'ours', policy: 'policy.json' },
    locks: ['package-lock.json'],
    own: 0,
    judged,
    review: null,
    ...more,
  });

test('a whole report', () => {
  const judged = [
    row('b', 'allowed'),
    row('a', 'allowed'),
    row('c', 'denied', { licence: null }),
    row('d', 'review'),
  ];
  assert.equal(
    write(judged, { review: { by: 'Ada', count: 1 }, own: 1 }),
    `# Licences of ours

**1 package is denied.**

| Verdict | Packages |  |
| --- | --- | --- |
| Denied | 1 |  |
| Needs review | 1 | approved by Ada |
| Allowed | 2 |  |
| Together | 4 |  |

Judged against \`policy.json\`. Lock files:

- \`package-lock.json\`: 4 packages

Not judged: 1 package of the project itself.

## Denied (1)

| Package | Version | Licence | Read from | Why |
| --- | --- | --- | --- | --- |
| c | 1.0.0 | *none* | node_modules | so |

## Needs review (1)

| Package | Version | Licence | Read from | Why |
| --- | --- | --- | --- | --- |
| d | 1.0.0 | MIT | node_modules | so |

## Allowed (2)

| Package | Version | Licence | Read from | Why |
| --- | --- | --- | --- | --- |
| a | 1.0.0 | MIT | node_modules | so |
| b | 1.0.0 | MIT | node_modules | so |

## Licences (2)

| Licence | Packages |
| --- | --- |
| MIT | 3 |
| *none* | 1 |
`,
  );
});

test('several lock files get a column', () => {
  const crate = row('a', 'allowed', { ecosystem: 'cargo', lock: 'Cargo.lock', id: 'x' });
  const text = write([row('a', 'allowed'), crate], { locks: ['Cargo.lock', 'package-lock.json'] });
  assert.match(
    text,
    /\| a \| 1\.0\.0 \| MIT \| node_modules \| so \| `Cargo\.lock` \|\n\| a .* `package-lock\.json` \|\n/,
  );
});

test('a project without packages has a report, too', () => {
  assert.match(write([]), /\*\*Every package is allowed\.\*\*/);
});

test('what packages say of themselves stays text', () => {
  const text = write([row('<img src=x>', 'review', { licence: 'a | b\n# c', why: '[x](y) `z` _w_' })], {
    review: { by: 'Ada', count: 1 },
  });
  assert.match(
    text,
    /\| \\<img src=x\\> \| 1\.0\.0 \| a \\\| b # c \| node_modules \| \\\[x\\\]\(y\) \\`z\\` \\_w\\_ \|\n/,
  );
});

const verdicts = fc.constantFrom(.../** @type {const} */ (['allowed', 'review', 'denied']));
const rows = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), verdicts), {
  selector: ([name]) => name,
});

test('the order in which packages were found changes nothing, and each has its row', () => {
  fc.assert(
    fc.property(rows, fc.infiniteStream(fc.nat()), (found, chance) => {
      const judged = found.map(([name, verdict]) => row(name, verdict));
      const shuffled = judged
        .map((item) => ({ item, key: /** @type {number} */ (chance.next().value) }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item);
      const text = write(judged);
      assert.equal(write(shuffled), text);
      assert.equal(text.match(/ \| so \|$/gm)?.length ?? 0, judged.length);
      const { allowed, review, denied } = countVerdicts(judged);
      assert.equal(allowed + review + denied, judged.length);
    }),
  );
});
