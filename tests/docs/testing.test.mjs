// @ts-check
/** The tests that docs/testing.md shows pass as they are printed, against the installed package. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { root } from '../../scripts/process.mjs';
import { consumerDir } from '../package/installed.mjs';
import { markedExamples } from './markdown.mjs';

const examples = markedExamples(readFileSync(join(root, 'docs/testing.md'), 'utf8'));

/** The runner that runs this would else be reported to. */
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

test('docs/testing.md has tests that are marked to be run', () => {
  assert.ok(examples.length > 0, 'no code block follows a line <!-- example: run -->');
});

for (const [index, { code }] of examples.entries()) {
  test(`the tests in example ${index + 1} of docs/testing.md pass`, async () => {
    const file = join(consumerDir, `example-${randomUUID()}.mjs`);
    writeFileSync(file, code);
    try {
      const args = ['--test-reporter=tap', file];
      const options = { cwd: consumerDir, env, timeout: 30_000 };
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);
      assert.equal(stderr, '');
      assert.match(stdout, /^# fail 0$/m);
      // The kit's tests are many more than the calls that register them.
      const passed = code.includes('testJobStore(') ? '[1-9]\\d*' : code.match(/^test\(/gm)?.length;
      assert.match(stdout, new RegExp(`^# pass ${passed}$`, 'm'));
    } finally {
      rmSync(file);
    }
  });
}
