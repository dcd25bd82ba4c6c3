// @ts-check
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createMemoryStore, simulatePlan } from 'jobwright';
import { checkFront, checkReplay, checkRun, makeFolder, start } from '../checks.mjs';
import { plan } from './plan.mjs';
import { permissions, research } from './research.mjs';
import { termsIn } from './text.mjs';

const main = join(import.meta.dirname, 'main.mjs');

/**
 * @param {import('node:test').TestContext} t
 * @param {string} question
 * @param {{ text: string, approved?: boolean }} options
 */
async function researched(t, question, { text, approved = true }) {
  const sources = makeFolder(t);
  const answer = join(makeFolder(t), 'answer.md');
  writeFileSync(join(sources, 'source.md'), text);
  const store = createMemoryStore();
  const job = await research({ question, sources, answer, store, approve: async () => approved });
  await checkRun(plan, permissions, job);
  for (const { id } of await store.listJobs({ parentId: job.id }))
    await checkReplay(/** @type {import('jobwright').Job} */ (await store.getJob(id)));
  const { number: rounds } = /** @type {{ research: { number: number } }} */ (job.context).research;
  return { job, answer, rounds };
}

test('a first draft that is good needs no second', async (t) => {
  const { job, answer, rounds } = await researched(t, 'What do bees make?', {
    text: 'Bees make honey. Ants do not.',
  });
  assert.deepEqual([job.status, rounds], ['completed', 1]);
  assert.match(readFileSync(answer, 'utf8'), /^# What do bees make\?\n\n> Bees make honey\./);
});

test('drafts go on until the critic is content', async (t) => {
  const text = 'Bees make honey. Silk is what worms make.';
  const { rounds, answer } = await researched(t, 'Who makes honey, who silk?', { text });
  assert.equal(rounds, 2);
  assert.match(readFileSync(answer, 'utf8'), /honey[\s\S]*Silk/);
});

test('the third draft is the last, and the answer says what it lacks', async (t) => {
  const { job, rounds, answer } = await researched(t, 'honey and gold', { text: 'Bees make honey.' });
  assert.deepEqual([job.status, rounds], ['completed', 3]);
  assert.match(readFileSync(answer, 'utf8'), /Nothing was found about: gold\./);
});

test('a word is found in a longer form, unless it is very short', () => {
  assert.deepEqual(termsIn('An ox adopted peat.', ['ox', 'adopt', 'pea', 'adopting']), ['ox', 'adopt']);
});

test('what costs most is three rounds', () => {
  const { cost, approvals } = simulatePlan(plan, { permissions });
  assert.deepEqual([cost, approvals], [{ min: 4, max: 12 }, ['approve']]);
});

test('nothing is published that a person rejects', async (t) => {
  const { job, answer } = await researched(t, 'honey', { text: 'Bees make honey.', approved: false });
  assert.deepEqual([job.status, job.run?.failure?.code], ['failed', 'rejected']);
  assert.throws(() => readFileSync(answer));
});

test('the program asks, and publishes on a yes alone', async (t) => {
  await checkFront(main, t);
  const cwd = makeFolder(t);
  const yes = await start(main, [], { cwd, input: 'y\n' });
  assert.deepEqual([yes.code, yes.errors], [0, '']);
  assert.match(yes.output, /critique {2}good\n\nPublish the answer\? \[y\/N\] \nPublished in answer\.md\n$/);
  const silence = await start(main, ['--answer', 'other.md'], { cwd });
  assert.deepEqual([silence.code, silence.errors], [1, '']);
  assert.match(silence.output, /Not published: Step rejected by the reader\n$/);
});

test('the program refuses what it can not use', async (t) => {
  const cwd = makeFolder(t);
  const mistake = async (/** @type {string[]} */ ...args) => (await start(main, args, { cwd })).errors;
  assert.match(await mistake('--sources', 'nowhere'), /^--sources must be a folder; found ".*nowhere"\.\n$/);
  assert.match(
    await mistake('--answer', 'no/where.md'),
    /^--answer must be a file .*found ".*where\.md"\.\n$/,
  );
  assert.equal(await mistake('?'), 'There is no question in "?".\n');
  assert.equal(await mistake('one?', 'two?'), 'Unexpected argument "two?"; --help shows the options.\n');
});
