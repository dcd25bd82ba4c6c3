// @ts-check
/** What a child job leaves unspent returns, however it ends, and whatever dies; what a step holds is settled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { created, createStore, FREE, LIMIT, setup, started, within } from './support/setup.mjs';
import { createHome, createMortalStore, rest } from './support/trees.mjs';

const { createBudgetManager, createMemoryStore } = jobwright;

/** @param {string} id @param {number} cost */
const paid = (id, cost) => ({ id, agent: 'work', cost });
/** @param {string} id @param {number} budget @param {any[]} steps */
const lent = (id, budget, steps) => ({ id, job: { plan: { steps }, budget } });

/** @type {any} */
const NEVER = new Promise(() => {});

/** What agents cost: what their steps' ids say, as `a7`. Those called `stuck` never answer. */
const work = (/** @type {any} */ _, /** @type {any} */ { step }) => {
  if (step === 'stuck') return NEVER;
  if (step === 'bad') throw new Error('bad');
  return { success: true, data: step, cost: Number(step.slice(1)) };
};

/** @param {any} [deps] */
function world(deps) {
  const budgetManager = createBudgetManager();
  const w = setup({ store: createMemoryStore(), budgetManager, agentRegistry: { work }, ...deps });
  return { ...w, budgetManager };
}

/** @param {any} w @param {string} id */
async function stands(w, id) {
  const { limit, spent, reserved } = await w.budgetManager.getBudget(id);
  return { limit, spent, reserved };
}

/** Every way in which a child ends that was lent 40 and has spent 7. @type {Record<string, (w: any, id: string) => Promise<any>>} */
const ENDS = {
  'its steps have ended': async (w, id) => w.runJob(id),
  'a step failed': async (w, id) => w.runJob(id),
  'its caller completes it': async (w, id) => w.completeJob(id),
  'its caller completes it as failed': async (w, id) => w.completeJob(id, 'failed'),
  'its caller fails it': async (w, id) => w.failJob(id),
  'it is cancelled': async (w, id) => w.cancelJob(id),
  'its parent is cancelled': async (w, id) => w.cancelJob((await w.getJob(id)).parentId),
  'all is stopped': async (w) => w.stopAll(),
};

for (const [kind, storeOf] of Object.entries({ plain: createStore, bundled: createMemoryStore })) {
  for (const [how, end] of Object.entries(ENDS)) {
    for (const isRunning of [false, true]) {
      test(
        `${kind} store: when ${how}${isRunning ? ', while it runs' : ''}, what is left returns once`,
        LIMIT,
        async () => {
          const w = world({ store: storeOf() });
          const reclaimed = /** @type {string[]} */ ([]);
          const { reclaim } = w.budgetManager;
          w.budgetManager.reclaim = (/** @type {string} */ id) => {
            reclaimed.push(id);
            return reclaim(id);
          };
          const top = await started(w, undefined, { budget: 100 });
          const parent = await started(w, undefined, { parentId: top, budget: 60 });
          const last = how === 'a step failed' ? paid('bad', 5) : paid('b0', 5);
          const stuck = isRunning && !how.includes('step') ? [{ ...paid('stuck', 3), after: [] }] : [];
          const child = await started(w, [paid('a7', 9), last, ...stuck], { parentId: parent, budget: 40 });
          assert.deepStrictEqual(await stands(w, parent), { limit: 60, spent: 0, reserved: 40 });
          const running = isRunning ? w.runJob(child) : w.nextStep(child);
          if (!isRunning || stuck.length === 0) await running;
          else await rest(5);
          await end(w, child);
          await running;
          assert.deepStrictEqual(await stands(w, child), { limit: 7, spent: 7, reserved: 0 });
          await w.stopAll();
          assert.deepStrictEqual(await stands(w, top), { limit: 100, spent: 7, reserved: 0 });
          assert.equal(reclaimed.filter((id) => id === child).length, 1, String(reclaimed));
          assert.deepStrictEqual((await w.getJob(child)).run.account, { allocated: 40, closed: true });
          reclaimed.length = 0;
          await w.recover();
          assert.deepStrictEqual(reclaimed, []);
        },
      );
    }
  }
}

test('what a child leaves is there for the next step of its parent', LIMIT, async () => {
  const w = world();
  const id = await started(w, [lent('pack', 90, [paid('a7', 9)]), paid('b9', 90)], { budget: 100 });
  assert.equal((await w.runJob(id)).status, 'completed');
  assert.deepStrictEqual(await stands(w, id), { limit: 100, spent: 16, reserved: 0 });
});

test('what a grandchild leaves when its parent has ended goes on to those above', LIMIT, async () => {
  const w = world();
  const top = await started(w, undefined, { budget: 100 });
  const middle = await started(w, undefined, { parentId: top, budget: 60 });
  const [lentTo, sharing] = [
    await started(w, [paid('a7', 9)], { parentId: middle, budget: 20 }),
    await started(w, [paid('a5', 9), paid('a1', 1)], { parentId: middle }),
  ];
  await w.nextStep(sharing);
  await w.completeJob(middle);
  assert.deepStrictEqual(await stands(w, top), { limit: 100, spent: 5, reserved: 20 });
  assert.equal((await w.runJob(lentTo)).status, 'completed');
  await w.cancelJob(sharing);
  assert.deepStrictEqual(await stands(w, top), { limit: 100, spent: 12, reserved: 0 });
});

test('what attempts cost after which a step is tried again counts with it', LIMIT, async () => {
  let attempts = 0;
  const agentRegistry = {
    work: () =>
      ++attempts < 3 ? { success: false, error: 'no', cost: 2 } : { success: true, data: 1, cost: 4 },
    hopeless: () => ({ success: false, error: 'no', cost: 3 }),
  };
  const w = world({ agentRegistry });
  const retry = { maxAttempts: 3, backoffMs: 0 };
  const steps = [
    { id: 'a', agent: 'work', cost: 9, retry },
    { id: 'b', agent: 'hopeless', cost: 9, retry },
  ];
  const id = await started(w, steps, { budget: 100 });
  assert.equal((await w.runJob(id)).code, 'agent_failed');
  assert.deepStrictEqual(await stands(w, id), { limit: 100, spent: 8 + 9, reserved: 0 });
});

/** Things that a tree does from its making to its end; each is called once, by whoever lives. */
const STORIES = {
  'a child of a step': {
    plan: [lent('pack', 40, [paid('a7', 9), { ...paid('b2', 5), after: [] }, paid('c0', 1)]), paid('d3', 60)],
    spends: 12,
  },
  'children of items': {
    plan: [{ ...lent('pack', 30, [paid('a4', 9)]), forEach: [1, 2, 3] }, paid('b1', 80)],
    spends: 13,
  },
  'a step that fails beside another': {
    plan: [
      { ...lent('pack', 40, [paid('bad', 9), { ...paid('stuck', 5), after: [] }]), onError: 'continue' },
      paid('d3', 90),
    ],
    spends: 3,
  },
  rounds: {
    plan: [{ ...lent('pack', 50, [paid('a4', 9)]), repeat: { until: { '==': [1, 1] }, max: 2 } }],
    spends: 4,
  },
};

for (const [what, { plan, spends }] of Object.entries(STORIES)) {
  for (const cancels of [false, true]) {
    test(
      `wherever a process dies, all is settled: ${what}${cancels ? ', cancelled' : ''}`,
      LIMIT,
      async () => {
        for (let calls = 0, lived = false; !lived; calls++) {
          const random = createRandom(calls);
          const [store, books] = [createMortalStore(), new Map()];
          const agentRegistry = { work };
          const first = createHome(random, store, { books, agentRegistry });
          const id = await first.createJob({}, FREE, { id: 'root', plan: { steps: plan }, budget: 100 });
          await first.startJob(id);
          first.process.dieAfter(calls);
          let ended = false;
          first.runJob(id).then(() => {
            ended = true;
          });
          await rest(cancels ? calls : 80);
          if (cancels) {
            ended = false;
            first.cancelJob(id).then(() => {
              ended = true;
            });
            await rest(80);
          }
          lived = ended && first.process.isAlive();

          store.endLeases();
          const next = createHome(createRandom(calls), store, { books, agentRegistry });
          await within(next.recover(), `recover after ${calls} calls`);
          const outcome = cancels ? await next.cancelJob(id) : await within(next.runJob(id), 'runJob');
          if (!cancels) assert.ok(outcome.success || outcome.code === 'not_running', JSON.stringify(outcome));
          const { spent, reserved } = await createBudgetManager({ store: books }).getBudget(id);
          assert.equal(reserved, 0, `${calls} calls`);
          if (!cancels) assert.equal(spent, spends, `${calls} calls`);
          for (const head of await store.listJobs()) {
            const account = head.run.account ?? { closed: true };
            assert.equal(account.closed, true, `${head.id} after ${calls} calls`);
          }
        }
      },
    );
  }
}

/** @param {any} budgetManager */
function hostileWorld(budgetManager) {
  const logged = /** @type {any[]} */ ([]);
  const logger = {
    log() {},
    info() {},
    warn() {},
    debug() {},
    error: (/** @type {any[]} */ ...args) => logged.push(args),
  };
  return { ...world({ budgetManager, logger }), logged };
}

const yes = async () => ({ success: true });
/** What a manager's method does wrong. @type {Record<string, () => any>} */
const WRONGS = {
  throws: () => {
    throw new Error('out of order');
  },
  rejects: async () => Promise.reject(new Error('out of order')),
  refuses: () => ({ success: false, error: 'never' }),
};

for (const [wrong, act] of Object.entries(WRONGS)) {
  test(
    `a manager that ${wrong} when it is to take back loses no work, and is asked again by recover`,
    LIMIT,
    async () => {
      const asked = /** @type {string[]} */ ([]);
      const manager = {
        ...{ canSpend: yes, setBudget: yes, allocate: yes },
        reclaim: (/** @type {string} */ id) => {
          asked.push(id);
          return act();
        },
      };
      const w = hostileWorld(manager);
      const id = await started(w, [lent('pack', 40, [paid('a7', 9)]), paid('b1', 1)], { budget: 100 });
      assert.equal((await w.runJob(id)).status, 'completed');
      assert.equal(w.logged.length, 1);
      manager.reclaim = (/** @type {string} */ of) => {
        asked.push(of);
        return yes();
      };
      await w.recover();
      await w.recover();
      assert.deepStrictEqual(asked, [`${id}:pack`, `${id}:pack`]);
    },
  );

  test(`a manager that ${wrong} when it is to let go loses no work`, LIMIT, async () => {
    const manager = { ...createBudgetManager(), release: act };
    const w = hostileWorld(manager);
    const steps = [lent('pack', 40, [paid('bad', 9), { ...paid('stuck', 9), after: [] }])];
    const id = await started(w, [{ ...steps[0], onError: 'continue' }, paid('b1', 1)], { budget: 100 });
    assert.equal((await w.runJob(id)).status, 'completed');
  });

  test(
    `a manager that ${wrong} when it is to allocate stops the parent, which goes on later`,
    LIMIT,
    async () => {
      const manager = { ...createBudgetManager(), allocate: act };
      const w = hostileWorld(manager);
      const id = await started(w, [lent('pack', 40, [paid('a7', 9)]), paid('b1', 1)], { budget: 100 });
      await w.runJob(id).then(
        (/** @type {any} */ outcome) => assert.equal(outcome.success, false),
        () => {},
      );
      assert.equal(await w.getJob(`${id}:pack`), null);
      manager.allocate = createBudgetManager().allocate;
      Object.assign(manager, createBudgetManager());
      await manager.setBudget(id, 100);
      if ((await w.getJob(id)).status === 'paused') await w.startJob(id);
      assert.equal((await w.runJob(id)).status, 'completed');
    },
  );
}

test('a limit holds where what agents report are fractions', LIMIT, async () => {
  const budgetManager = createBudgetManager();
  const w = hostileWorld(budgetManager);
  const steps = Array.from({ length: 9 }, (_, n) => ({ ...paid(`${'abcdefghi'[n]}0.9`, 1) }));
  const id = await started(w, steps, { budget: 5 });
  const refused = await w.runJob(id);
  assert.deepEqual(
    [refused, refused.code],
    [{ success: false, error: 'Budget exceeded' }, 'budget_exceeded'],
  );
  assert.deepEqual(await budgetManager.getBudget(id), { id, limit: 5, spent: 5, reserved: 0 });
  assert.deepEqual(w.logged, []);
});

test('what a manager refuses to count is logged, and the work is kept', LIMIT, async () => {
  const refuse = () => ({ success: false, error: 'no such account' });
  const counted = { ...createBudgetManager(), settle: refuse };
  for (const budgetManager of [counted, { canSpend: yes, recordSpend: refuse }]) {
    const w = hostileWorld(budgetManager);
    const id = await started(w, [paid('a7', 9)], budgetManager === counted ? { budget: 10 } : {});
    assert.equal((await w.runJob(id)).status, 'completed');
    // What has a key is said again when the job has ended.
    assert.equal(w.logged.length, budgetManager === counted ? 2 : 1);
    assert.match(w.logged[0].join(' '), /budget manager .* no such account/);
  }
});

test('managers that can do little are asked for no more', LIMIT, async () => {
  for (const manager of [{ canSpend: yes }, { canSpend: yes, allocate: yes, setBudget: yes }]) {
    const w = hostileWorld(manager);
    const isLent = 'allocate' in manager;
    const child = isLent
      ? lent('pack', 40, [paid('a7', 9)])
      : { id: 'pack', job: { plan: { steps: [paid('a7', 9)] } } };
    const id = await started(w, [child, paid('b1', 1)], isLent ? { budget: 100 } : {});
    assert.equal((await w.runJob(id)).status, 'completed');
    assert.deepStrictEqual(w.logged, []);
    assert.equal((await w.getJob(`${id}:pack`)).run.account, undefined);
    const other = await created(w, [paid('a7', 9)], {
      parentId: await started(w, undefined),
      ...(isLent && { budget: 4 }),
    });
    await w.cancelJob(other);
    assert.deepStrictEqual(w.logged, []);
  }
});
