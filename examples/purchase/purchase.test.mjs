// @ts-check
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkFront, checkRun, makeFolder, start, stepsOf } from '../checks.mjs';
import { buy, permissions } from './buy.mjs';
import { plan } from './plan.mjs';
import { CARDS, openShop } from './shop.mjs';

const main = join(import.meta.dirname, 'main.mjs');
const BOUGHT = ['reserve', 'charge', 'ship'];
const UNDONE = ['reserve', 'charge', 'refund', 'release'];

/** @param {import('node:test').TestContext} t */
function openDesk(t) {
  const folder = makeFolder(t);
  const shop = openShop(join(folder, 'shop.db'));
  t.after(() => shop.close());
  const left = (/** @type {string} */ name) => shop.catalogue().find((item) => item.name === name)?.stock;
  return { shop, jobs: join(folder, 'jobs.db'), left };
}

/**
 * @param {import('node:test').TestContext} t
 * @param {{ item?: string, quantity?: number, card?: string }} wish
 * @param {boolean} [approved]
 */
async function bought(t, { item = 'kettle', quantity = 1, card = '4242' }, approved = true) {
  const { left, ...desk } = openDesk(t);
  const wish = { order: 'order-1', item, quantity, card };
  const job = await buy({ ...desk, approve: async () => approved }, wish);
  await checkRun(plan, permissions, job);
  const ledger = desk.shop.ledger('order-1').map(({ what }) => what);
  return { job, ledger, left: left(item), attempts: stepsOf(job, 'step_started') };
}

test('what is reserved and paid is shipped', async (t) => {
  const { job, ledger, left } = await bought(t, { quantity: 3 });
  assert.deepEqual([job.status, ledger, left], ['completed', BOUGHT, 1]);
  assert.deepEqual(stepsOf(job, 'approval_requested'), [], 'it was not dear');
});

test('what is dear is bought when a person agrees, and given back when not', async (t) => {
  const yes = await bought(t, { item: 'bicycle' });
  assert.deepEqual([yes.ledger, yes.left], [BOUGHT, 1]);
  const no = await bought(t, { item: 'bicycle' }, false);
  assert.deepEqual([no.ledger, no.left], [['reserve', 'release'], 2]);
});

test('what fails undoes what went before it, and only that', async (t) => {
  const nothingLeft = await bought(t, { quantity: 5 });
  assert.deepEqual([nothingLeft.ledger, nothingLeft.left], [[], 4]);
  const declined = await bought(t, { card: CARDS.declined });
  assert.deepEqual([declined.ledger, declined.left], [['reserve', 'release'], 4]);
  const tooHeavy = await bought(t, { item: 'piano' });
  assert.deepEqual([tooHeavy.ledger, tooHeavy.left], [UNDONE, 1]);
  assert.equal(tooHeavy.job.status, 'completed', 'all is in order again');
});

test('a charge whose answer gets lost is asked for again, and made once', async (t) => {
  const { ledger, attempts } = await bought(t, { card: CARDS.forgetful });
  assert.deepEqual(ledger, BOUGHT);
  assert.deepEqual(attempts, ['reserve', 'charge', 'charge', 'ship']);
});

// ---------------------------------------------------------------- killed

/** No purchase writes so often. */
const LIMIT = 40;

/**
 * Kills the program after each of its writes, goes on with what it left, and looks at what comes of it.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ item: string, card: string }} wish
 * @param {string[]} expected the ledger
 * @returns {Promise<number>} how many writes there were
 */
async function killAtEachWrite(t, { item, card }, expected) {
  const seen = { killed: 0, whole: false };
  const killAt = async (/** @type {number} */ number) => {
    const folder = makeFolder(t);
    const args = [item, '--card', card, '--yes', '--data', '.', '--kill', String(number)];
    const { signal, errors } = await start(main, args, { cwd: folder });
    assert.equal(errors, '');
    if (signal === 'SIGKILL') seen.killed += 1;
    else seen.whole = true;
    assert.deepEqual((await goOn(folder, { item, card })).ledger, expected, `killed after write ${number}`);
  };
  for (let number = 1; !seen.whole && number < LIMIT; number += 2)
    await Promise.all([killAt(number), killAt(number + 1)]);
  return seen.killed;
}

/**
 * What the program does when it is started again.
 *
 * @param {string} folder
 * @param {{ item: string, card: string }} wish
 */
async function goOn(folder, wish) {
  const shop = openShop(join(folder, 'shop.db'));
  try {
    const desk = { shop, jobs: join(folder, 'jobs.db'), approve: async () => true };
    const job = await buy(desk, { order: 'order-1', quantity: 1, ...wish });
    assert.equal(job.status, 'completed');
    await checkRun(plan, permissions, job);
    return { ledger: shop.ledger('order-1').map(({ what }) => what), stock: shop.catalogue() };
  } finally {
    shop.close();
  }
}

test('killed after any write and started again, it charges once, and ships', async (t) => {
  const writes = await killAtEachWrite(t, { item: 'kettle', card: CARDS.forgetful }, BOUGHT);
  assert.ok(writes > 10 && writes < LIMIT, `${writes} writes`);
});

test('killed after any write and started again, it undoes each thing once', async (t) => {
  const writes = await killAtEachWrite(t, { item: 'piano', card: '4242' }, UNDONE);
  assert.ok(writes > 10 && writes < LIMIT, `${writes} writes`);
});

test('killed again and again, it gets there', async (t) => {
  const cwd = makeFolder(t);
  let kills = 0;
  // At its fourth write a program that was started again has come one step further, and no more.
  const run = () => start(main, ['kettle', '--data', '.', '--kill', '4'], { cwd });
  while (kills < 10 && (await run()).signal === 'SIGKILL') kills += 1;
  assert.ok(kills > 1 && kills < 10, `${kills} kills`);
  const { ledger, stock } = await goOn(cwd, { item: 'kettle', card: '4242' });
  assert.deepEqual([ledger, stock[0]?.stock], [BOUGHT, 3]);
});

// ---------------------------------------------------------------- the program

test('the program prints the ledger, and buys once however often it is started', async (t) => {
  await checkFront(main, t);
  const cwd = makeFolder(t);
  const first = await start(main, ['bicycle'], { cwd, input: 'y\n' });
  const lines = [
    '  reserve  1 × bicycle',
    '  charge   € 900, card 4242',
    '  ship     1 × bicycle',
    'Bought.',
  ];
  assert.equal(
    first.output,
    `That is dear. Buy it? [y/N] \n${['order-1: 1 × bicycle, card 4242', ...lines].join('\n')}\n`,
  );
  assert.equal(first.code, 0);
  const again = await start(main, ['bicycle'], { cwd });
  assert.ok(first.output.endsWith(again.output));
  assert.ok(existsSync(join(cwd, '.cache/purchase/jobs.db')));
});

test('the program refuses what it can not use', async (t) => {
  const cwd = makeFolder(t);
  writeFileSync(join(cwd, 'file'), '');
  const mistake = async (/** @type {string[]} */ ...args) => (await start(main, args, { cwd })).errors;
  assert.equal(await mistake(), 'ITEM must be one of kettle, bicycle, piano; found "".\n');
  assert.equal(await mistake('kettle', '--card', '42'), '--card must be four digits; found "42".\n');
  assert.match(
    await mistake('kettle', '--quantity', '0'),
    /^--quantity must be .* from 1 to 1000; found "0"\.\n$/,
  );
  assert.match(await mistake('kettle', '--kill', 'it'), /^--kill must be a whole number .*; found "it"\.\n$/);
  assert.equal(await mistake('kettle', '--order', ''), '--order must be a name; found "".\n');
  assert.match(
    await mistake('kettle', '--data', 'file'),
    /^--data must be a folder for databases; found ".*file": /,
  );
});
