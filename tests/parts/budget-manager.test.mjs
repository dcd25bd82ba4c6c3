import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBudgetManager } from '../../pkg-template/parts/budget-manager.js';

const EXCEEDED = { success: false, error: 'Budget exceeded' };
const NONE = { success: false, error: 'No budget found' };
const YES = { success: true };

/** A Map that answers later, as a database would. */
function slowMap() {
  const map = new Map();
  const later = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
  return {
    map,
    get: (key) => later().then(() => structuredClone(map.get(key))),
    set: (key, value) => later().then(() => map.set(key, structuredClone(value))),
  };
}

/** The same behaviour whatever keeps the budgets. */
const KINDS = {
  'in memory': () => createBudgetManager(),
  'over a Map': () => createBudgetManager({ store: new Map() }),
  'over an async store': () => createBudgetManager({ store: slowMap() }),
};

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: a scope spends up to its limit and not past it`, async () => {
    const budget = make();
    assert.deepEqual(await budget.setBudget('a', 100), YES);
    assert.deepEqual(await budget.canSpend('a', 100), YES);
    assert.deepEqual(await budget.canSpend('a', 101), EXCEEDED);
    assert.deepEqual(await budget.recordSpend('a', 60, { step: 'x' }), YES);
    assert.deepEqual(await budget.canSpend('a', 40), YES);
    assert.deepEqual(await budget.canSpend('a', 41), EXCEEDED);
    assert.deepEqual(await budget.getBudget('a'), { id: 'a', limit: 100, spent: 60, reserved: 0 });
  });

  test(`${kind}: without a cost the question is whether anything is left`, async () => {
    const budget = make();
    await budget.setBudget('a', 1);
    assert.deepEqual(await budget.canSpend('a'), YES);
    await budget.reserve('a', 1, 'k');
    assert.deepEqual(await budget.canSpend('a'), EXCEEDED);
    assert.deepEqual(await budget.canSpend('a', 0), YES);
    await budget.setBudget('zero', 0);
    assert.deepEqual(await budget.canSpend('zero'), EXCEEDED);
  });

  test(`${kind}: a scope without a budget is refused`, async () => {
    const budget = make();
    await budget.setBudget('toString', 5);
    for (const id of ['a', '__proto__', 'constructor', '']) {
      assert.deepEqual(await budget.canSpend(id), NONE);
      assert.deepEqual(await budget.reserve(id, 1, 'k'), NONE);
      assert.deepEqual(await budget.allocate(id, 'b', 1), NONE);
      assert.equal(await budget.getBudget(id), null);
    }
    assert.equal(await budget.getBudget('b'), null);
  });

  test(`${kind}: setBudget keeps what was spent and is held`, async () => {
    const budget = make();
    await budget.recordSpend('a', 7);
    assert.equal(await budget.getBudget('a'), null);
    await budget.setBudget('a', 10);
    await budget.reserve('a', 2, 'k');
    await budget.setBudget('a', 5);
    assert.deepEqual(await budget.getBudget('a'), { id: 'a', limit: 5, spent: 7, reserved: 2 });
    assert.deepEqual(await budget.canSpend('a', 0), EXCEEDED);
  });

  test(`${kind}: what was spent past the limit is counted`, async () => {
    const budget = make();
    await budget.setBudget('a', 10);
    await budget.recordSpend('a', 25);
    await budget.reserve('a', 0, 'k');
    await budget.settle('a', 'k', 5);
    assert.equal((await budget.getBudget('a')).spent, 30);
  });

  test(`${kind}: a key holds once, is settled once, and released without harm`, async () => {
    const budget = make();
    const used = async () => {
      const { spent, reserved } = await budget.getBudget('a');
      return [spent, reserved];
    };
    await budget.setBudget('a', 10);
    assert.deepEqual(await budget.reserve('a', 6, 'k'), YES);
    assert.deepEqual(await budget.reserve('a', 6, 'k'), YES);
    assert.deepEqual(await used(), [0, 6]);
    assert.deepEqual(await budget.reserve('a', 6, 'other'), EXCEEDED);
    assert.deepEqual(await used(), [0, 6]);
    assert.deepEqual(await budget.settle('a', 'k', 4), YES);
    assert.deepEqual(await budget.settle('a', 'k', 4), YES);
    assert.deepEqual(await used(), [4, 0]);
    assert.deepEqual(await budget.release('a', 'k'), YES);
    assert.deepEqual(await budget.reserve('a', 6, 'k'), YES);
    assert.deepEqual(await used(), [4, 0], 'a settled key holds nothing again');
    await budget.reserve('a', 6, 'other');
    await budget.release('a', 'other');
    await budget.release('a', 'other');
    await budget.release('a', 'unknown');
    await budget.release('unknown', 'unknown');
    assert.deepEqual(await used(), [4, 0]);
    await budget.reserve('a', 5, 'other');
    assert.deepEqual(await used(), [4, 5], 'a released key may hold again');
    await budget.settle('a', 'never reserved', 1);
    assert.deepEqual(await used(), [5, 5]);
    await budget.settle('a', 'other', 50);
    assert.deepEqual(await used(), [55, 0]);
  });

  test(`${kind}: keys are each scope's own, and any string`, async () => {
    const budget = make();
    for (const id of ['a', '__proto__']) {
      await budget.setBudget(id, 10);
      await budget.reserve(id, 2, '__proto__');
      await budget.reserve(id, 3, 'constructor');
      assert.equal((await budget.getBudget(id)).reserved, 5);
    }
    await budget.settle('a', '__proto__', 1);
    assert.deepEqual(await budget.getBudget('a'), { id: 'a', limit: 10, spent: 1, reserved: 3 });
    assert.deepEqual(await budget.getBudget('__proto__'), {
      id: '__proto__',
      limit: 10,
      spent: 0,
      reserved: 5,
    });
  });

  test(`${kind}: a child spends the nearest ancestor's budget until it has its own`, async () => {
    const budget = make();
    await budget.setBudget('root', 10);
    await budget.setParent('child', 'root');
    await budget.setParent('grandchild', 'child');
    assert.deepEqual(await budget.canSpend('grandchild', 10), YES);
    await budget.reserve('grandchild', 4, 'k');
    assert.equal((await budget.getBudget('root')).reserved, 4);
    assert.equal(await budget.getBudget('grandchild'), null);
    await budget.setBudget('child', 3);
    assert.deepEqual(await budget.canSpend('grandchild', 4), EXCEEDED);
    await budget.settle('grandchild', 'k', 2);
    assert.deepEqual(await budget.getBudget('root'), { id: 'root', limit: 10, spent: 2, reserved: 0 });
    await budget.recordSpend('grandchild', 3);
    assert.equal((await budget.getBudget('child')).spent, 3);
    assert.equal((await budget.getBudget('root')).spent, 2);
  });

  test(`${kind}: allocating moves limit from parent to child, and what is left returns`, async () => {
    const budget = make();
    await budget.setBudget('root', 100);
    assert.deepEqual(await budget.allocate('root', 'child', 30), YES);
    assert.deepEqual(await budget.allocate('root', 'child', 10), YES);
    assert.deepEqual(await budget.allocate('root', 'child', 61), EXCEEDED);
    assert.deepEqual(await budget.allocate('child', 'grandchild', 15), YES);
    assert.deepEqual(await budget.getBudget('child'), { id: 'child', limit: 40, spent: 0, reserved: 15 });
    assert.deepEqual(await budget.getBudget('root'), { id: 'root', limit: 100, spent: 0, reserved: 40 });
    await budget.recordSpend('grandchild', 5);
    await budget.recordSpend('child', 1);
    assert.deepEqual(await budget.getBudget('child'), { id: 'child', limit: 40, spent: 6, reserved: 10 });
    assert.deepEqual(await budget.getBudget('root'), { id: 'root', limit: 100, spent: 6, reserved: 34 });
    assert.deepEqual(await budget.reclaim('child'), { success: true, amount: 24 });
    assert.deepEqual(await budget.reclaim('child'), { success: true, amount: 0 });
    assert.deepEqual(await budget.getBudget('child'), { id: 'child', limit: 16, spent: 6, reserved: 10 });
    assert.deepEqual(await budget.reclaim('grandchild'), { success: true, amount: 10 });
    assert.deepEqual(await budget.reclaim('child'), { success: true, amount: 10 });
    assert.deepEqual(await budget.getBudget('root'), { id: 'root', limit: 100, spent: 6, reserved: 0 });
    assert.deepEqual(await budget.reclaim('root'), { success: true, amount: 0 });
    assert.deepEqual(await budget.reclaim('unknown'), { success: true, amount: 0 });
  });

  test(`${kind}: a child's cost past its amount counts in the parent too`, async () => {
    const budget = make();
    await budget.setBudget('root', 100);
    await budget.allocate('root', 'child', 10);
    await budget.reserve('child', 10, 'k');
    await budget.settle('child', 'k', 25);
    assert.deepEqual(await budget.getBudget('child'), { id: 'child', limit: 10, spent: 25, reserved: 0 });
    assert.deepEqual(await budget.getBudget('root'), { id: 'root', limit: 100, spent: 25, reserved: 0 });
    assert.deepEqual(await budget.reclaim('child'), { success: true, amount: 0 });
  });

  test(`${kind}: a child without a budget allocates from its ancestor's`, async () => {
    const budget = make();
    await budget.setBudget('root', 10);
    await budget.setParent('child', 'root');
    assert.deepEqual(await budget.allocate('child', 'grandchild', 4), YES);
    assert.equal((await budget.getBudget('root')).reserved, 4);
    assert.equal(await budget.getBudget('child'), null);
    assert.deepEqual(await budget.allocate('root', 'grandchild', 1), YES);
    assert.equal((await budget.getBudget('grandchild')).limit, 5);
  });

  test(`${kind}: families stay trees`, async () => {
    const budget = make();
    await budget.setBudget('root', 10);
    await budget.setBudget('stranger', 10);
    await budget.allocate('root', 'child', 5);
    for (const [answer, sentence] of [
      [await budget.allocate('child', 'root', 1), `The scope "root" can't be a child of its own`],
      [await budget.allocate('root', 'root', 1), `The scope "root" can't be a child of its own`],
      [await budget.setParent('root', 'child'), `The scope "root" can't be a child of its own`],
      [await budget.setParent('x', 'x'), `The scope "x" can't be a child of its own`],
      [await budget.setParent('child', 'stranger'), 'The scope "child" is a child of "root" already'],
      [await budget.allocate('stranger', 'child', 1), 'The scope "child" draws on "root" already'],
    ]) {
      assert.deepEqual(answer, { success: false, error: sentence });
    }
    await budget.setParent('new child', 'new parent');
    assert.equal((await budget.setParent('new parent', 'new child')).success, false);
    assert.deepEqual(await budget.getBudget('root'), { id: 'root', limit: 10, spent: 0, reserved: 5 });
    assert.deepEqual(await budget.getBudget('stranger'), {
      id: 'stranger',
      limit: 10,
      spent: 0,
      reserved: 0,
    });
    assert.deepEqual(await budget.getBudget('child'), { id: 'child', limit: 5, spent: 0, reserved: 0 });
  });

  test(`${kind}: a fraction that was spent counts as a whole one, whether or not it was held`, async () => {
    const budget = make();
    await budget.setBudget('a', 10);
    await budget.reserve('a', 1, 'held');
    assert.deepEqual(await budget.settle('a', 'held', 0.03), { success: true });
    assert.deepEqual(await budget.settle('a', 'not held', 1.5), { success: true });
    assert.deepEqual(await budget.recordSpend('a', 2.000_1), { success: true });
    assert.deepEqual(await budget.getBudget('a'), { id: 'a', limit: 10, spent: 6, reserved: 0 });
  });

  test(`${kind}: amounts are integers that are not negative, and names are strings`, async () => {
    const budget = make();
    await budget.setBudget('a', 10);
    await budget.reserve('a', 1, 'held');
    for (const bad of [1.5, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', 2 ** 53, {}, true]) {
      const calls = {
        estimatedCost: () => budget.canSpend('a', bad),
        ...(bad !== 1.5 && {
          amount: () => budget.recordSpend('a', bad),
          actual: () => budget.settle('a', 'held', bad),
        }),
      };
      for (const [name, call] of Object.entries(calls)) assertRefusal(await call(), name);
      assertRefusal(await budget.reserve('a', bad, 'k'), 'amount');
      assertRefusal(await budget.allocate('a', 'b', bad), 'amount');
      await assert.rejects(budget.setBudget('a', bad), {
        name: 'JobwrightError',
        code: 'invalid_argument',
        message: /^setBudget: limit: expected an integer that is not negative, found /,
      });
    }
    for (const bad of [undefined, null, 1, {}]) {
      assertRefusal(await budget.canSpend(bad, 1), 'scopeId');
      assertRefusal(await budget.reserve('a', 1, bad), 'key');
      await assert.rejects(budget.setBudget(bad, 1), { code: 'invalid_argument' });
      assert.equal(await budget.getBudget(bad), null);
    }
    assert.deepEqual(await budget.getBudget('a'), { id: 'a', limit: 10, spent: 0, reserved: 1 });
  });

  test(`${kind}: sums that can't be exact are refused`, async () => {
    const budget = make();
    const most = Number.MAX_SAFE_INTEGER;
    await budget.setBudget('a', most);
    await budget.allocate('a', 'b', 5);
    assert.deepEqual(await budget.recordSpend('a', most), YES);
    assertRefusal(await budget.recordSpend('a', 1), 'amount');
    assertRefusal(await budget.recordSpend('b', 1), 'amount');
    assertRefusal(await budget.settle('b', 'k', 1), 'actual');
    assert.deepEqual(await budget.getBudget('b'), { id: 'b', limit: 5, spent: 0, reserved: 0 });
  });
}

function assertRefusal(answer, name) {
  assert.equal(answer.success, false);
  assert.ok(answer.error.startsWith(`${name}: `), `expected ${name} in: ${answer.error}`);
}

test('without a store answers come at once, and methods may be taken off', async () => {
  const { setBudget, canSpend, reserve, settle, release, recordSpend, allocate } = createBudgetManager();
  await setBudget('a', 10);
  for (const answer of [
    canSpend('a', 1),
    reserve('a', 1, 'k'),
    settle('a', 'k', 1),
    release('a', 'k'),
    recordSpend('a', 1),
    allocate('a', 'b', 1),
  ]) {
    assert.equal(answer.success, true);
  }
});

test('a budget outlives its manager in a store, as plain JSON', async () => {
  const store = new Map();
  const before = createBudgetManager({ store });
  await before.setBudget('root', 100);
  await before.allocate('root', 'child', 40);
  await before.reserve('child', 5, 'k');
  await before.settle('child', 'k', 3);
  await before.reserve('child', 7, 'held');
  const json = new Map([...store].map(([key, value]) => [key, JSON.parse(JSON.stringify(value))]));
  assert.deepEqual([...json.keys()].sort(), ['budget:child', 'budget:root', 'budgets:unfinished']);
  const after = createBudgetManager({ store: json });
  assert.deepEqual(await after.getBudget('child'), { id: 'child', limit: 40, spent: 3, reserved: 7 });
  await after.settle('child', 'k', 3);
  await after.release('child', 'held');
  assert.deepEqual(await after.getBudget('child'), { id: 'child', limit: 40, spent: 3, reserved: 0 });
  assert.deepEqual(await after.getBudget('root'), { id: 'root', limit: 100, spent: 3, reserved: 37 });
});

test('calls over a slow store take turns, so that together they stay within the limit', async () => {
  const budget = createBudgetManager({ store: slowMap() });
  await budget.setBudget('a', 10);
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => budget.reserve('a', 1, `key ${i}`)));
  assert.equal(answers.filter(({ success }) => success).length, 10);
  assert.equal((await budget.getBudget('a')).reserved, 10);
});

test('a store that fails fails the call, changes nothing, and the next call works', async () => {
  const store = slowMap();
  const budget = createBudgetManager({ store });
  await budget.setBudget('a', 10);
  const { get, set } = store;
  const boom = new Error('no disk');
  store.set = () => Promise.reject(boom);
  await assert.rejects(budget.recordSpend('a', 1), boom);
  store.set = set;
  store.get = () => {
    throw boom;
  };
  await assert.rejects(async () => budget.canSpend('a', 1), boom);
  store.get = get;
  assert.deepEqual(await budget.getBudget('a'), { id: 'a', limit: 10, spent: 0, reserved: 0 });
});

test('what is no store, and what no store should hold, is refused', async () => {
  for (const bad of [1, 'store', {}, { get() {} }]) {
    assert.throws(() => createBudgetManager({ store: bad }), {
      name: 'TypeError',
      message: /^createBudgetManager: store: expected an object with get and set/,
    });
  }
  for (const junk of [
    {},
    'junk',
    { spent: -1, reserved: 0, lent: 0, holds: [], settled: [] },
    { spent: 1.5 },
  ]) {
    const budget = createBudgetManager({ store: new Map([['budget:a', junk]]) });
    await assert.rejects(async () => budget.canSpend('a'), {
      name: 'JobwrightError',
      message: /^The stored budget of "a" can't be read: /,
    });
  }
});

test('what dies while several scopes are written is written whole by the manager that comes next', async () => {
  /** What stands in a store after so many writes. */
  const booksAfter = async (writes) => {
    const store = new Map();
    const budget = createBudgetManager({ store });
    await budget.setBudget('root', 100);
    await budget.allocate('root', 'child', 40);
    await budget.reserve('child', 30, 'k');
    const set = (key, value) => {
      writes -= 1;
      if (writes < 0) throw new Error('died');
      store.set(key, JSON.parse(JSON.stringify(value)));
    };
    const dying = createBudgetManager({ store: { get: (key) => store.get(key), set } });
    const settled = await dying.settle('child', 'k', 20).then(
      () => true,
      () => false,
    );
    return { store, settled };
  };
  let settled = false;
  for (let writes = 0; !settled; writes++) {
    const died = await booksAfter(writes);
    const next = createBudgetManager({ store: died.store });
    await next.settle('child', 'k', 20);
    assert.deepEqual(await next.getBudget('child'), { id: 'child', limit: 40, spent: 20, reserved: 0 });
    assert.deepEqual(await next.getBudget('root'), { id: 'root', limit: 100, spent: 20, reserved: 20 });
    settled = died.settled;
  }
});

test('a write that failed is made good before the next call is answered', async () => {
  const store = new Map();
  let left = Infinity;
  const set = (key, value) => {
    left -= 1;
    if (left === 0) throw new Error('busy');
    store.set(key, JSON.parse(JSON.stringify(value)));
  };
  const budget = createBudgetManager({ store: { get: (key) => store.get(key), set } });
  await budget.setBudget('root', 100);
  await budget.allocate('root', 'child', 40);
  await budget.reserve('child', 30, 'k');
  for (const failing of [1, 2, 3, 4]) {
    left = failing;
    await assert.rejects(async () => budget.settle('child', 'k', 20), /busy/);
    left = Infinity;
    const { spent } = await budget.getBudget('root');
    assert.equal((await budget.getBudget('child')).spent, spent);
    if (spent === 20) break;
  }
  await budget.settle('child', 'k', 20);
  assert.deepEqual(await budget.getBudget('root'), { id: 'root', limit: 100, spent: 20, reserved: 20 });
});

test('a store in which something else stands is said to be unreadable', async () => {
  const budget = createBudgetManager({ store: new Map([['budgets:unfinished', { entries: 'none' }]]) });
  await assert.rejects(budget.getBudget('root'), { code: 'internal', message: /budgets:unfinished/ });
});
