// @ts-check
/** Others are told of a job that is committed many times in a moment twice: of the first commit, and of the last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNotices } from '../../pkg-template/postgres/notices.js';

test('the first commit of a moment is told of with it, the last when the moment is over', async () => {
  /** @type {string[][]} */
  const told = [];
  const notices = createNotices(async (rest) => told.push(rest));
  assert.equal(notices.due('j', 'running', 'j1'), 'j1');
  assert.equal(notices.due('j', 'running', 'j2'), null);
  assert.equal(notices.due('k', 'running', 'k1'), 'k1');
  assert.equal(notices.due('j', 'running', 'j3'), null);
  assert.deepEqual(told, []);
  while (told.length === 0) await sleep(5);
  assert.deepEqual(told, [['j3']]);
  assert.equal(notices.due('k', 'running', 'k2'), 'k2');
  await sleep(100);
  assert.equal(notices.due('j', 'running', 'j4'), 'j4');
  assert.deepEqual(told, [['j3']]);
});

test('a job whose status changes is told of at once, and not once more', async () => {
  /** @type {string[][]} */
  const told = [];
  const notices = createNotices(async (rest) => told.push(rest));
  assert.equal(notices.due('j', 'running', 'j1'), 'j1');
  assert.equal(notices.due('j', 'running', 'j2'), null);
  assert.equal(notices.due('j', 'completed', 'j3'), 'j3');
  await sleep(100);
  assert.deepEqual(told, []);
});

test('what is still to be told is told at the end, and a server that is gone is no error', async () => {
  /** @type {string[][]} */
  const told = [];
  const notices = createNotices(async (rest) => {
    told.push(rest);
    throw new Error('gone');
  });
  notices.due('j', 'running', 'j1');
  notices.due('j', 'running', 'j2');
  await notices.end();
  assert.deepEqual(told, [['j2']]);
});
