// @ts-check
/** What is drawn again and again, on the screen of a terminal. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { modulesDir } from '../package/installed.mjs';

const { createLive } = await import(pathToFileURL(join(modulesDir, 'command-line/live.js')).href);

const [columns, rows] = [20, 8];

function makeScreen() {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 1_000,
    convertEol: true,
    allowProposedApi: true,
  });
  let written = '';
  const stream = {
    columns,
    rows,
    write: (/** @type {string} */ text) => {
      written += text;
      terminal.write(text);
    },
  };
  return {
    live: createLive(/** @type {any} */ (stream)),
    stream,
    written: () => written,
    /** @returns {Promise<string[]>} also the lines that have scrolled away */
    async lines() {
      await new Promise((resolve) => terminal.write('', () => resolve(null)));
      const { active } = terminal.buffer;
      const all = Array.from({ length: active.length }, (_, row) =>
        String(active.getLine(row)?.translateToString(true)).trimEnd(),
      );
      while (all.at(-1) === '') all.pop();
      return all;
    },
  };
}

const line = fc.string({ unit: fc.constantFrom('a', 'b', '█', ' '), maxLength: columns - 1 });
const block = fc.array(line, { minLength: 1, maxLength: rows - 1 });

test('there are the lines that were written, and below them those drawn last', async () => {
  const steps = fc.array(fc.oneof(fc.record({ draw: block }), fc.record({ note: line })), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const { live, stream, lines } = makeScreen();
      /** @type {string[]} */
      const notes = [];
      /** @type {string[]} */
      let drawn = [];
      for (const step of given) {
        if ('draw' in step) {
          drawn = step.draw;
          live.draw(drawn);
        } else {
          live.clear();
          stream.write(`${step.note}\n`);
          notes.push(step.note);
          if (drawn.length > 0) live.draw(drawn);
        }
      }
      const expected = [...notes, ...drawn].map((text) => text.trimEnd());
      while (expected.at(-1) === '') expected.pop();
      assert.deepEqual(await lines(), expected);
    }),
  );
});

test('a line that is too long is one row, whatever its letters take', async () => {
  const { live, lines } = makeScreen();
  for (const letter of ['漢', '\u{1f600}', 'e\u0301', 'x']) {
    live.draw(['first', letter.repeat(3 * columns), 'last']);
    const [first, long = '', ...rest] = await lines();
    assert.deepEqual([first, rest], ['first', ['last']]);
    assert.ok(long.startsWith(letter.repeat(columns / 2 - 1)), long);
  }
});

test('of more lines than the screen has, the last ones are shown', async () => {
  const { live, lines } = makeScreen();
  const many = Array.from({ length: rows + 5 }, (_, at) => `line ${at}`);
  for (const end of ['a', 'b', 'c']) live.draw([...many, end]);
  assert.deepEqual(await lines(), [...many.slice(2 - rows), 'c']);
});

test('the cursor is hidden while lines are drawn, and shown once', () => {
  const { live, written } = makeScreen();
  live.showCursor();
  assert.equal(written(), '');
  live.draw(['a']);
  live.draw(['a']);
  live.draw(['b']);
  live.clear();
  live.showCursor();
  live.showCursor();
  const shown = written();
  assert.equal(shown.split('\u001b[?25h').length, 2);
  assert.ok(shown.lastIndexOf('\u001b[?25h') > shown.lastIndexOf('\u001b[?25l'));
  assert.equal(shown.split('\u001b[?2026h').length, 3, 'what has not changed is not drawn');
});
