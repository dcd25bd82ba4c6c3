import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBudgetManager } from '../../pkg-template/parts/budget-manager.js';

const LIMIT = 100;
const SCOPES = ['root', 'a', 'b', 'c', 'd', 'e'];

const scope = fc.constantFrom(...SCOPES);
const key = fc.constantFrom('k1', 'k2', 'k3', 'k4');
const amount = fc.nat(60);
const share = fc.double({ min: 0, max: 1, noNaN: true });

const operation = fc.oneof(
  fc.record({ op: fc.constant('setParent'), child: scope, parent: scope }),
  fc.record({ op: fc.constant('allocate'), from: scope, to: scope, amount }),
  fc.record({ op: fc.constant('reclaim'), scope }),
  fc.record({ op: fc.constant('reserve'), scope, amount, key }),
  fc.record({ op: fc.constant('settle'), scope, key, share }),
  fc.record({ op: fc.constant('release'), scope, key }),
  fc.record({ op: fc.constant('spend'), scope, amount }),
);

/** What the caller knows: what is held and settled under which key, and what was spent in all. */
function createCaller() {
  const held = new Map();
  const settled = new Set();
  let spent = 0;
  return {
    held,
    settled,
    spend: (more) => {
      spent += more;
    },
    spent: () => spent,
    heldInAll: () => [...held.values()].reduce((sum, each) => sum + each, 0),
  };
}

/** Does one operation; `answers` collects what the manager said. */
async function act(budget, caller, { op, ...given }, answers) {
  const slot = `${given.scope}/${given.key}`;
  if (op === 'setParent') answers.push(await budget.setParent(given.child, given.parent));
  else if (op === 'allocate') answers.push(await budget.allocate(given.from, given.to, given.amount));
  else if (op === 'reclaim') answers.push(await budget.reclaim(given.scope));
  else if (op === 'reserve') {
    const answer = await budget.reserve(given.scope, given.amount, given.key);
    answers.push(answer);
    const isNew = !caller.held.has(slot) && !caller.settled.has(slot);
    if (answer.success && isNew) caller.held.set(slot, given.amount);
  } else if (op === 'settle') {
    // A caller settles what it holds, at or below the estimate; or again what it has settled.
    if (!caller.held.has(slot) && !caller.settled.has(slot)) return;
    const actual = Math.floor((caller.held.get(slot) ?? LIMIT) * given.share);
    answers.push(await budget.settle(given.scope, given.key, actual));
    if (caller.held.delete(slot)) caller.spend(actual);
    caller.settled.add(slot);
  } else if (op === 'release') {
    answers.push(await budget.release(given.scope, given.key));
    caller.held.delete(slot);
  } else {
    const answer = await budget.canSpend(given.scope, given.amount);
    answers.push(answer);
    if (!answer.success) return;
    await budget.recordSpend(given.scope, given.amount);
    caller.spend(given.amount);
  }
}

/** Within limits everywhere, and every unit is somewhere: free, held or spent. */
async function checkSums(budget, caller) {
  let free = 0;
  for (const id of SCOPES) {
    const found = await budget.getBudget(id);
    if (found === null) continue;
    const { limit, spent, reserved } = found;
    for (const sum of [limit, spent, reserved])
      assert.ok(Number.isSafeInteger(sum) && sum >= 0, `${id}: ${sum}`);
    assert.ok(spent + reserved <= limit, `${id}: ${spent} + ${reserved} > ${limit}`);
    free += limit - spent - reserved;
  }
  const root = await budget.getBudget('root');
  assert.equal(root.limit, LIMIT);
  assert.equal(root.spent, caller.spent());
  assert.equal(free + caller.heldInAll() + caller.spent(), LIMIT);
}

test('no order of operations overspends, and sums add up to the unit', async () => {
  let refused = 0;
  let done = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60, size: 'max' }), async (operations) => {
      const budget = createBudgetManager();
      const caller = createCaller();
      await budget.setBudget('root', LIMIT);
      for (const each of operations) {
        const answers = [];
        await act(budget, caller, each, answers);
        for (const { success } of answers) {
          if (success) done += 1;
          else refused += 1;
        }
        await checkSums(budget, caller);
      }
      // When all is given back, the root has all but what was spent.
      for (const slot of caller.held.keys()) budget.release(...slot.split('/'));
      for (let i = 0; i < SCOPES.length; i += 1) for (const id of SCOPES) budget.reclaim(id);
      assert.deepEqual(await budget.getBudget('root'), {
        id: 'root',
        limit: LIMIT,
        spent: caller.spent(),
        reserved: 0,
      });
    }),
    { numRuns: 1500 },
  );
  assert.ok(refused > 1000 && done > 1000, `both answers are common: ${done} done, ${refused} refused`);
});

test('a store makes no difference to any answer', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40, size: 'max' }), async (operations) => {
      const managers = [createBudgetManager(), createBudgetManager({ store: new Map() })];
      const told = [];
      for (const budget of managers) {
        const answers = [];
        const caller = createCaller();
        await budget.setBudget('root', LIMIT);
        for (const each of operations) await act(budget, caller, each, answers);
        for (const id of SCOPES) answers.push(await budget.getBudget(id));
        told.push(answers);
      }
      assert.deepEqual(told[1], told[0]);
    }),
    { numRuns: 300 },
  );
});
