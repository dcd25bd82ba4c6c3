// @ts-check
/** No job may do more than its parent, whoever says so and when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { created, createStore, FREE, LIMIT, setup, started } from './support/setup.mjs';

const { createMemoryStore } = jobwright;
const steps = [{ id: 'one', agent: 'work' }];

/** @param {any} w @param {string} id */
const permissionsOf = async (w, id) => (await w.getJob(id)).permissions;

for (const [kind, createStoreOfKind] of Object.entries({ plain: createStore, bundled: createMemoryStore })) {
  test(
    `${kind} store: what is taken from a job is taken from its descendants, those only that live`,
    LIMIT,
    async () => {
      const w = setup({ store: createStoreOfKind(), agentRegistry: { work: () => 1 } });
      const parent = await started(w, steps);
      const [child, other] = [
        await created(w, steps, { parentId: parent }),
        await started(w, steps, { parentId: parent, permissions: { ...FREE, maxSteps: 3 } }),
      ];
      const grandchild = await started(w, steps, { parentId: child });
      const ended = await started(w, steps, { parentId: parent });
      await w.runJob(ended);
      const before = await w.getJob(ended);

      await w.setPermissions(parent, { allowTools: false, maxSteps: 5 });
      const narrowed = { allowTools: false, requireApproval: false, maxSteps: 5 };
      for (const id of [parent, child, grandchild])
        assert.deepStrictEqual(await permissionsOf(w, id), narrowed);
      assert.deepStrictEqual(await permissionsOf(w, other), { ...narrowed, maxSteps: 3 });
      assert.deepStrictEqual(await w.getJob(ended), before);
      assert.equal((await w.getJob(grandchild)).history.at(-1).type, 'permissions_changed');

      // What is given back to the parent is given to it alone.
      await w.setPermissions(parent, { allowTools: true });
      assert.deepStrictEqual(await permissionsOf(w, child), narrowed);
      await w.setPermissions(child, { allowTools: true, maxSteps: 50 });
      assert.deepStrictEqual(await permissionsOf(w, child), { ...narrowed, allowTools: true });
      for (const id of [parent, child, grandchild]) assert.equal((await w.replayJob(id)).ok, true);
    },
  );
}

test('a child that was made while its parent was narrowed is narrowed before it starts', LIMIT, async () => {
  const store = createMemoryStore();
  const late = { ...store };
  const w = setup({ store: late, agentRegistry: { work: () => 1 } });
  const parent = await started(w, steps);
  // The store takes its time for the child, and knows it only when the parent has been narrowed.
  /** @type {(value?: any) => void} */
  let go = () => {};
  const gate = new Promise((resolve) => {
    go = resolve;
  });
  late.commit = async (/** @type {any} */ change) => {
    if (change.head.parentId !== undefined && change.expectedRevision === 0) await gate;
    return store.commit(change);
  };
  const making = created(w, steps, { parentId: parent });
  await new Promise((resolve) => setTimeout(resolve, 5));
  await w.setPermissions(parent, { allowTools: false });
  go();
  const child = await making;
  await w.startJob(child);
  assert.equal((await permissionsOf(w, child)).allowTools, false);
  assert.equal((await w.replayJob(child)).ok, true);
});

/** @param {any} random */
const anyPermissions = (random) => ({
  ...(random.chance(0.6) && { allowTools: random.chance(0.5) }),
  ...(random.chance(0.6) && { requireApproval: random.chance(0.5) }),
  ...(random.chance(0.6) && { maxSteps: 1 + random.below(20) }),
});

/** @param {any} own @param {any} most */
const isWithin = (own, most) =>
  (!own.allowTools || most.allowTools) &&
  (own.requireApproval || !most.requireApproval) &&
  own.maxSteps <= most.maxSteps;

test(
  'in a tree of jobs, of which some are narrowed while others are made, none runs that may do more',
  LIMIT,
  async () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = createRandom(seed);
      const w = setup({ store: createMemoryStore(), agentRegistry: { work: () => 1 } });
      const ids = [await started(w, steps)];
      const act = async () => {
        const id = random.pick(ids);
        if (random.chance(0.5)) {
          const child = await created(w, steps, { parentId: id, permissions: anyPermissions(random) });
          await w.startJob(child);
          ids.push(child);
        } else {
          await w.setPermissions(id, anyPermissions(random));
        }
      };
      for (let round = 0; round < 4; round++) await Promise.all(Array.from({ length: 4 }, act));
      const jobs = new Map(
        await Promise.all(ids.map(async (id) => /** @type {const} */ ([id, await w.getJob(id)]))),
      );
      for (const { id, parentId, permissions } of jobs.values()) {
        const most = jobs.get(parentId)?.permissions;
        if (most === undefined) continue;
        assert.ok(
          isWithin(permissions, most),
          `seed ${seed}: ${id} may ${JSON.stringify(permissions)} under ${JSON.stringify(most)}`,
        );
      }
      await w.close();
    }
  },
);
