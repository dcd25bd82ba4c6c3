// @ts-check
/** However jobs of a tree run side by side, in one process or two, and whatever dies: no limit is exceeded, no step lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { FREE, LIMIT, within } from './support/setup.mjs';
import { createHome, randomSteps, rest } from './support/trees.mjs';

const { createMemoryStore } = jobwright;
const agentRegistry = { work: () => 1 };

/**
 * A store that knows how many steps each tree took, at each commit.
 * @param {Map<string, { parentId?: string, maxSteps: number, shares: boolean }>} tree
 */
function createWatchedStore(tree) {
  const store = createMemoryStore();
  /** @type {Map<string, number>} */
  const taken = new Map();
  /** Jobs that steps made are named behind the one that somebody made. @param {string} id */
  const madeOf = (id) => id.split(':')[0];
  /** @param {string} id @param {string} ancestor */
  const isWithin = (id, ancestor) => {
    for (
      let at = /** @type {string | undefined} */ (madeOf(id));
      at !== undefined;
      at = tree.get(at)?.parentId
    ) {
      if (at === ancestor) return true;
    }
    return false;
  };
  /** @param {string} id */
  const takenIn = (id) => [...taken].reduce((sum, [of, steps]) => sum + (isWithin(of, id) ? steps : 0), 0);
  return {
    ...store,
    takenIn,
    isWithin,
    /** @param {any} change */
    commit(change) {
      store.commit(change);
      taken.set(change.jobId, change.head.run.stepsTaken ?? 0);
      for (const [id, { shares, maxSteps }] of tree) {
        if (shares) assert.ok(takenIn(id) <= maxSteps, `${id} took ${takenIn(id)} steps of ${maxSteps}`);
      }
    },
  };
}

/** @param {number} seed @param {number} homes */
async function createWorld(seed, homes) {
  const random = createRandom(seed);
  const tree = new Map();
  const store = createWatchedStore(tree);
  const all = Array.from({ length: homes }, () => createHome(random, store, { agentRegistry }));
  const [{ createJob, startJob }] = all;
  for (let made = 0; made < 2 + random.below(5); made++) {
    const id = `s${seed}j${made}`;
    const parentId = made === 0 ? undefined : random.pick([...tree.keys()]);
    const shares = made === 0 || random.chance(0.2);
    const permissions = { ...FREE, maxSteps: 1 + random.below(made === 0 ? 20 : 8) };
    const plan = { steps: randomSteps(random, 2), concurrency: 1 + random.below(3) };
    await createJob({}, permissions, { id, parentId, plan, config: { shareSteps: shares } });
    const { maxSteps } = (await store.getJob(id)).permissions;
    tree.set(id, { parentId, maxSteps, shares });
    await startJob(id);
  }
  return { random, tree, store, all };
}

/** Until nobody was in its way. @param {any} home @param {string} id */
async function run(home, id) {
  for (;;) {
    const outcome = await home.runJob(id);
    if (outcome.code !== 'conflict') return outcome;
  }
}

/** A limit that stopped somebody is used up. @param {any} world */
async function assertUsedUp({ tree, store }) {
  for (const { id, status, run: state } of await store.listJobs()) {
    const message = state.pause?.message;
    if (status !== 'paused' || message === undefined || state.pause.reason !== 'step_limit') continue;
    const of = /Step limit of job "(.*)" reached/.exec(message)?.[1] ?? '';
    assert.ok(store.isWithin(id, of), id);
    // What an outer limit had no room for is counted by the inner ones all the same.
    const outer = [...tree.keys()].filter((other) => tree.get(other).shares && store.isWithin(of, other));
    const isUsedUp = (/** @type {string} */ other) => store.takenIn(other) === tree.get(other).maxSteps;
    assert.ok(outer.some(isUsedUp), `${id}: ${message}`);
  }
  const [[root]] = tree;
  const { treeSteps, stepsTaken } = (await store.getJob(root)).run;
  assert.equal(
    (treeSteps?.taken ?? 0) + stepsTaken,
    store.takenIn(root),
    'what its tree took is counted once',
  );
}

for (const homes of [1, 2]) {
  const where = homes === 1 ? 'in one orchestrator' : 'in two orchestrators on one store';
  test(
    `jobs of a tree side by side ${where} take as many steps as they may, and no more`,
    LIMIT,
    async () => {
      for (let seed = 0; seed < 120; seed++) {
        const world = await createWorld(seed, homes);
        const ids = [...world.tree.keys()];
        await within(Promise.all(ids.map((id) => run(world.random.pick(world.all), id))), `seed ${seed}`);
        await assertUsedUp(world);
        for (const { id } of await world.store.listJobs()) {
          const replayed = await world.all[0].replayJob(id);
          assert.equal(replayed.ok, true, `seed ${seed}, ${id}: ${JSON.stringify(replayed)}`);
        }
      }
    },
  );
}

test(
  'a process that dies anywhere neither makes a tree exceed its limit nor costs it a step',
  LIMIT,
  async () => {
    for (let seed = 0; seed < 120; seed++) {
      const world = await createWorld(seed, 1);
      const { random, store, all } = world;
      const ids = [...world.tree.keys()];
      all[0].process.dieAfter(random.below(60));
      for (const id of ids) all[0].runJob(id);
      await rest();
      const next = createHome(random, store, { agentRegistry });
      await next.recover();
      await within(Promise.all(ids.map((id) => run(next, id))), `seed ${seed}`);
      await assertUsedUp(world);
    }
  },
);
