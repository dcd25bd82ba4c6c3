// @ts-check
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createProgress } from './progress.mjs';

/** @param {object} kind @param {NodeJS.ProcessEnv} [env] */
function watched(kind, env = {}) {
  const output = /** @type {any} */ (Object.assign(new PassThrough(), kind));
  let time = 0;
  const progress = createProgress({ output, env, now: () => time });
  return {
    ...progress,
    after: (/** @type {number} */ ms) => {
      time += ms;
    },
    written: () => String(output.read() ?? ''),
  };
}

test('at a terminal, one line is rewritten, and the last stays', () => {
  const { shows, ends, written } = watched({ isTTY: true, columns: 10 });
  shows('1 of 2');
  shows('2 of 2, which is long');
  ends();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves the cursor
  const lines = written().split(/\u001b\[1G\u001b\[2K/);
  assert.deepEqual(lines, ['', '1 of 2', '2 of 2, w', '2 of 2, which is long\n']);
});

for (const [name, kind, env] of /** @type {[string, object, NodeJS.ProcessEnv?][]} */ ([
  ['elsewhere', {}],
  ['at a terminal that can not rewrite', { isTTY: true }, { TERM: 'dumb' }],
])) {
  test(`${name}, a line now and then, and the last`, () => {
    const { shows, ends, after, written } = watched(kind, env);
    shows('1');
    after(5_000);
    shows('2');
    after(4_999);
    shows('3');
    shows('4');
    ends();
    assert.equal(written(), '2\n4\n');
  });
}

test('where nothing was told, nothing is written', () => {
  const { ends, written } = watched({});
  ends();
  assert.equal(written(), '');
});
