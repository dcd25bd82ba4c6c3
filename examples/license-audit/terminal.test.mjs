// @ts-check
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createProgress } from './progress.mjs';
import { createTerminal, duration } from './terminal.mjs';

/**
 * @param {{ tty: boolean, env?: NodeJS.ProcessEnv }} how
 */
function makeTerminal({ tty, env = {} }) {
  const input = Object.assign(new PassThrough(), { isTTY: tty });
  const output = Object.assign(new PassThrough(), { isTTY: tty, columns: 40 });
  const terminal = createTerminal({
    input: /** @type {any} */ (input),
    output: /** @type {any} */ (output),
    env,
  });
  return { terminal, input, printed: () => String(output.read() ?? '').replaceAll('\u001b', 'ESC') };
}

/** @param {ReturnType<typeof createTerminal>} terminal */
function showSteps(terminal) {
  let time = 0;
  const show = createProgress(terminal, () => time);
  show({ type: 'step_started', payload: { step: 'read-npm', attempt: 1 } });
  show({ type: 'audit_progress', payload: { step: 'read-npm', done: 25, total: 200 } });
  show({ type: 'audit_note', payload: { step: 'read-npm', text: '200 licences' } });
  time = 1_500;
  show({ type: 'step_completed', payload: { step: 'read-npm' } });
  show({ type: 'constructor', payload: {} });
}

test('where nobody looks: plain lines', () => {
  const { terminal, printed } = makeTerminal({ tty: false });
  showSteps(terminal);
  assert.equal(
    printed(),
    '  4/7 read-npm    running\n  4/7 read-npm    25 of 200\n✔ 4/7 read-npm    200 licences (1.5 s)\n',
  );
});

test('at a terminal: one line that is rewritten, in colours', () => {
  const { terminal, printed } = makeTerminal({ tty: true });
  showSteps(terminal);
  const text = printed();
  assert.equal(text.match(/\n/g)?.length, 1);
  assert.match(text, /ESC\[1GESC\[2KESC\[32m✔ESC\[0m 4\/7 read-npm {4}200 licences/);
});

test('NO_COLOR takes the colours away and leaves the line', () => {
  const { terminal, printed } = makeTerminal({ tty: true, env: { NO_COLOR: '1' } });
  showSteps(terminal);
  const text = printed();
  assert.doesNotMatch(text, /ESC\[\d*m/);
  assert.match(text, /ESC\[1GESC\[2K✔ 4\/7/);
});

test('a dumb terminal gets plain lines', () => {
  const { terminal, printed } = makeTerminal({ tty: true, env: { TERM: 'dumb' } });
  showSteps(terminal);
  assert.doesNotMatch(printed(), /ESC/);
});

test('a line that would wrap is cut', () => {
  const { terminal, printed } = makeTerminal({ tty: true, env: { NO_COLOR: '1' } });
  terminal.passing('x'.repeat(100));
  assert.equal(printed(), 'x'.repeat(39));
});

test('a failure says what is done about it', () => {
  const { terminal, printed } = makeTerminal({ tty: false });
  const show = createProgress(terminal, () => 0);
  const error = { code: 'agent_failed', message: 'no network' };
  show({ type: 'step_failed', payload: { step: 'read-cargo', error, retryAt: 1_000 } });
  show({ type: 'step_started', payload: { step: 'read-cargo', attempt: 2 } });
  show({ type: 'step_failed', payload: { step: 'read-cargo', error } });
  assert.equal(
    printed(),
    '! 3/7 read-cargo  no network, trying again in 1.0 s\n  3/7 read-cargo  running, attempt 2\n✘ 3/7 read-cargo  no network\n',
  );
});

test('a question is answered, ended, or given up', async () => {
  const { signal } = new AbortController();
  const answered = makeTerminal({ tty: false });
  const answer = answered.terminal.ask('? ', signal);
  answered.input.write('y\n');
  assert.equal(await answer, 'y');

  const ended = makeTerminal({ tty: false });
  const none = ended.terminal.ask('? ', signal);
  ended.input.end();
  assert.equal(await none, null);

  const stopped = makeTerminal({ tty: false });
  const controller = new AbortController();
  const givenUp = stopped.terminal.ask('? ', controller.signal);
  controller.abort();
  assert.equal(await givenUp, null);
});

test('durations', () => {
  assert.deepEqual([0, 999.4, 1_000, 59_900, 60_000, 3_661_000].map(duration), [
    '0 ms',
    '999 ms',
    '1.0 s',
    '59.9 s',
    '1 min 0 s',
    '61 min 1 s',
  ]);
});
