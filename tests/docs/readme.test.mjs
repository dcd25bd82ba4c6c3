// @ts-check
/** The README's example runs as it is printed, against the installed package. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../../scripts/process.mjs';
import { consumerDir } from '../package/installed.mjs';
import { markedExamples } from './markdown.mjs';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const examples = markedExamples(readme);

test('the README has an example that is marked to be run', () => {
  assert.ok(examples.length > 0, 'no code block follows a line <!-- example: run -->');
});

for (const [index, { code, output }] of examples.entries()) {
  test(`the README's example ${index + 1} runs as printed`, async () => {
    const file = join(consumerDir, `example-${process.pid}-${index + 1}.mjs`);
    writeFileSync(file, code);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], {
      cwd: consumerDir,
      timeout: 30_000,
    });
    assert.equal(stderr, '');
    if (output !== null) assert.equal(stdout.trim(), output.trim());
  });
}
