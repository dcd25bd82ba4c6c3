// @ts-check
/** However jobs of a tree run side by side, in one process or two, and whatever dies: no limit is exceeded, no step lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { FREE, LIMIT, within } from './support/setup.mjs';
import { createHome, createMortalStore, randomSteps, rest } from './support/trees.mjs';

const agentRegistry = { work: () => 1 };

/**
 * A store that knows how many steps each tree took, at each commit.
 * @param {Map<string, { parentId?: string, maxSteps: number, shares: boolean }>} tree
 */
function createWatchedStore(tree) {
  const store = createMortalStore();
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
  const isNested = seed % 2 === 1;
  const tree = new Map();
  const store = createWatchedStore(tree);
  const all = Array.from({ length: homes }, () => createHome(random, store, { agentRegistry }));
  const [{ createJob, startJob }] = all;
  for (let made = 0; made < 2 + random.below(5); made++) {
    const id = `s${seed}j${made}`;
    const parentId = made === 0 ? undefined : random.pick([...tree.keys()]);
    const shares = made === 0 || (isNested && random.chance(0.4));
    const permissions = { ...FREE, maxSteps: 1 + random.below(made === 0 ? 20 : 8) };
    const plan = { steps: randomSteps(random, 2), concurrency: 1 + random.below(3) };
    await createJob({}, permissions, { id, parentId, plan, config: { shareSteps: shares } });
    const { maxSteps } = (await store.getJob(id)).permissions;
    tree.set(id, { parentId, maxSteps, shares });
    await startJob(id);
  }
  return { random, isNested, tree, store, all };
}

/** Until nobody was in its way. @param {any} home @param {string} id */
async function run(home, id) {
  for (;;) {
    const outcome = await home.runJob(id);
    if (outcome.code !== 'conflict') return outcome;
  }
}

/** What is counted was taken, and a limit that stopped somebody is used up. @param {any} world @param {string} where */
async function assertUsedUp({ isNested, tree, store }, where) {
  const jobs = await store.listJobs();
  for (const { id, run: state } of jobs) {
    const counted = (state.treeSteps?.taken ?? 0) + (state.stepsTaken ?? 0);
    const taken = store.takenIn(id);
    if (!tree.get(id)?.shares) continue;
    // What an inner limit had room for and an outer one did not, or the other way round, stays counted for its job.
    assert.ok(
      isNested ? counted >= taken : counted === taken,
      `${where}: ${id} counts ${counted} of ${taken}`,
    );
    const stopped = jobs.some((/** @type {any} */ { run }) => run.pause?.message?.includes(`"${id}"`));
    if (stopped && !isNested) assert.equal(taken, tree.get(id).maxSteps, `${where}: ${id} stopped somebody`);
  }
}

for (const homes of [1, 2]) {
  const where = homes === 1 ? 'in one orchestrator' : 'in two orchestrators on one store';
  test(
    `jobs of a tree side by side ${where} take as many steps as they may, and no more`,
    LIMIT,
    async () => {
      for (let seed = 0; seed < 60; seed++) {
        const world = await createWorld(seed, homes);
        const ids = [...world.tree.keys()];
        await within(Promise.all(ids.map((id) => run(world.random.pick(world.all), id))), `seed ${seed}`);
        await assertUsedUp(world, `seed ${seed}`);
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
    for (let seed = 0; seed < 60; seed++) {
      const world = await createWorld(seed, 1);
      const { random, store, all } = world;
      const ids = [...world.tree.keys()];
      all[0].process.dieAfter(random.below(60));
      for (const id of ids) all[0].runJob(id);
      await rest();
      store.endLeases();
      const next = createHome(random, store, { agentRegistry });
      await next.recover();
      await within(Promise.all(ids.map((id) => run(next, id))), `seed ${seed}`);
      await assertUsedUp(world, `seed ${seed}`);
    }
  },
);
