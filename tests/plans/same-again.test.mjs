// @ts-check
/** A plan that was read before: what is said of it, and which steps run, is what its text says, whoever reads it when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMIT } from '../behaviour/support/setup.mjs';
import { importPackage } from '../package/installed.mjs';
import { plainStore } from './plain-store.mjs';

const { createMemoryStore, createOrchestrator, validatePlan } = await importPackage();

/** Long enough that a text crosses as bytes, with characters of two and more. */
const LONG = 'é😀'.repeat(400);

/**
 * The core decides which of the steps run.
 *
 * @param {number[]} numbers 1 for each step that does
 */
const planOf = (numbers) => ({
  steps: numbers.map((number, place) => ({
    id: `s${place}`,
    agent: 'work',
    when: { '==': [number, 1] },
    input: { text: LONG, place },
  })),
});

const lists = fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 3 });
const doings = fc.array(fc.tuple(fc.constantFrom('validate', 'create', 'run', 'break'), lists), {
  minLength: 5,
  maxLength: 25,
});

for (const [name, createStore] of /** @type {const} */ ([
  ['a store that commits', createMemoryStore],
  ['a plain store', plainStore],
])) {
  test(`with ${name}, each job runs the steps of its own plan`, LIMIT, async () => {
    await fc.assert(
      fc.asyncProperty(doings, async (all) => {
        /** @type {Map<string, number[]>} */
        const ran = new Map();
        const work = async (/** @type {any} */ { text, place }, /** @type {any} */ { jobId }) => {
          assert.equal(text, LONG);
          ran.get(jobId)?.push(place);
          return { output: null };
        };
        const orchestrator = createOrchestrator({
          store: createStore(),
          agentRegistry: { work: { execute: work } },
        });
        /** @type {[string, number[]][]} */
        const jobs = [];
        /** @type {Set<string>} */
        const begun = new Set();
        for (const [what, numbers] of all) {
          const plan = planOf(numbers);
          if (what === 'validate') assert.deepEqual(validatePlan(plan), { success: true });
          if (what === 'break') {
            const { errors } = validatePlan({ ...plan, steps: [...plan.steps, { id: LONG }] });
            assert.deepEqual(
              errors.map((/** @type {any} */ { path }) => path),
              [`steps[${numbers.length}]`],
            );
          }
          if (what === 'create') {
            const id = await orchestrator.createJob({}, { requireApproval: false }, { plan });
            // What becomes of the caller's object is no business of the job's.
            plan.steps.pop();
            ran.set(id, []);
            jobs.push([id, numbers.flatMap((number, place) => (number === 1 ? [place] : []))]);
          }
          const next = what === 'run' ? jobs.find(([id]) => !begun.has(id)) : undefined;
          if (next !== undefined) await run(next[0]);
        }
        for (const [id, expected] of jobs) {
          if (!begun.has(id)) await run(id);
          assert.deepEqual(ran.get(id), expected);
        }
        await orchestrator.close();

        /** @param {string} id */
        async function run(id) {
          begun.add(id);
          await orchestrator.startJob(id);
          const { success, error } = await orchestrator.runJob(id);
          assert.equal(success, true, error);
        }
      }),
      { numRuns: 60 },
    );
  });
}

test('a stored plan that is none is refused, whatever was read before', LIMIT, async () => {
  const store = plainStore();
  const orchestrator = createOrchestrator({
    store,
    agentRegistry: {},
  });
  const plan = planOf([1]);
  const id = await orchestrator.createJob({}, { requireApproval: false }, { plan });
  const job = store.getJob(id);
  for (const [stored, problem] of /** @type {[unknown, RegExp][]} */ ([
    [{ steps: [{ id: 'a', agnet: 'a' }] }, /run\.plan\.steps\[0\]\.agnet: unknown key/],
    [null, /run\.plan\..*must be an object/],
    [10n, /run can't be read/],
  ])) {
    store.saveJob({ ...job, run: { ...job.run, plan: stored } });
    await assert.rejects(orchestrator.startJob(id), (/** @type {any} */ error) => {
      assert.equal(error.code, 'invalid_job');
      assert.match(error.message, problem);
      return true;
    });
  }
  store.saveJob(job);
  assert.equal((await orchestrator.startJob(id)).success, true);
});

test('a plan is stored as it was given, however little it differs from the one before', LIMIT, async () => {
  const store = createMemoryStore();
  const orchestrator = createOrchestrator({ store, agentRegistry: { work: () => null } });
  const inputs = [{ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }, { a: 1 }, { a: 1, b: [1] }, { a: 1, b: [2, 1] }];
  const others = [
    { a: 1, b: { 0: 1, 1: 2 } },
    { a: 1, b: [1, 2], c: null },
    { a: '1', b: [1, 2] },
    [],
    {},
    null,
  ];
  for (const one of [...inputs, ...others]) {
    for (const other of [...inputs, ...others]) {
      for (const input of [one, other]) {
        const plan = { steps: [{ id: 'a', agent: 'work', input }] };
        const id = await orchestrator.createJob({}, {}, { plan });
        const stored = /** @type {any} */ (store.getJob(id)).run.plan;
        assert.equal(JSON.stringify(stored), JSON.stringify(plan));
      }
    }
  }
  await orchestrator.close();
});

test('plans that differ in halves of surrogate pairs alone are different plans', LIMIT, async () => {
  const store = createMemoryStore();
  const orchestrator = createOrchestrator({ store, agentRegistry: { work: () => null } });
  const halves = ['\ud83d', '\ude00'];
  for (const input of [...halves, ...halves]) {
    const plan = { steps: [{ id: 'a', agent: 'work', input }] };
    const id = await orchestrator.createJob({}, {}, { plan });
    assert.equal(/** @type {any} */ (store.getJob(id)).run.plan.steps[0].input, input);
  }
  await orchestrator.close();
});

test('what a store does to the plan of one job is no business of other jobs', LIMIT, async () => {
  const plan = { steps: [{ id: 'a', agent: 'work', input: { text: 'as given' } }] };
  for (const store of [plainStore(), committing()]) {
    const orchestrator = createOrchestrator({ store, agentRegistry: { work: () => null } });
    const spoilt = await orchestrator.createJob({}, {}, { plan });
    store.getJob(spoilt).run.plan.steps[0].input.text = 'spoilt';
    const id = await orchestrator.createJob({}, {}, { plan });
    assert.equal(store.getJob(id).run.plan.steps[0].input.text, 'as given');
    await orchestrator.close();
  }
});

/** A store that keeps the plans of the commits it is sent as they are. */
function committing() {
  const inner = createMemoryStore();
  /** @type {Map<string, any>} */
  const plans = new Map();
  return {
    ...inner,
    commit: (/** @type {any} */ change) => {
      if (change.plan !== undefined) plans.set(change.jobId, change.plan);
      inner.commit(change);
    },
    getJob: (/** @type {string} */ id) => {
      /** @type {any} */
      const job = inner.getJob(id);
      return { ...job, run: { ...job.run, plan: plans.get(id) } };
    },
  };
}
