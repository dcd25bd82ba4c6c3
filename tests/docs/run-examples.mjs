// @ts-check
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

/**
 * A test for each example of a page that is marked to be run: it prints what the page says, on the installed package.
 *
 * @param {string} page
 */
export function testExamples(page) {
  const examples = markedExamples(readFileSync(join(root, page), 'utf8'));

  test(`${page} has an example that is marked to be run`, () => {
    assert.ok(examples.length > 0, 'no code block follows a line <!-- example: run -->');
  });

  for (const [index, { code, output }] of examples.entries()) {
    test(`example ${index + 1} of ${page} runs as printed`, async () => {
      const file = join(consumerDir, `example-${randomUUID()}.mjs`);
      writeFileSync(file, code);
      try {
        const options = { cwd: consumerDir, timeout: 30_000 };
        const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], options);
        assert.equal(stderr, '');
        if (output !== null) assert.equal(stdout.trim(), output.trim());
      } finally {
        rmSync(file);
      }
    });
  }
}
