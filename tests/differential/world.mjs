// @ts-check
/** One world: random operations on many jobs, done by the engine and by the model, compared after every batch. */
import assert from 'node:assert/strict';
import { byKind, checkHistory, compareOutcomes, settled, show, viewOfJob } from './compare.mjs';
import { createDeps } from './delays.mjs';
import { randomContext, randomLifecycle, randomPermissions, randomPlan, randomScript } from './generate.mjs';
import { createHosts } from './hosts.mjs';
import { createModel } from './model.mjs';
import { createRandom } from './random.mjs';
import { runModelOn } from './run-model.mjs';

const SLOTS = 16;
/** Jobs whose steps wait between attempts: time passes while they run, so they run alone. */
const SLOW_SLOTS = 3;

/**
 * @param {{ seed: number, operations: number, createSubject: (deps: any) => any, kind?: import('./delays.mjs').StoreKind, keepsHistory?: boolean, tally?: Map<string, number> }} options
 * @returns {Promise<number>} how many operations were compared
 */
export async function runWorld({
  seed,
  operations,
  createSubject,
  kind = 'plain',
  keepsHistory = true,
  tally = new Map(),
}) {
  const random = createRandom(seed);
  const options = { faultyBus: random.chance(0.2), faultyMonitor: random.chance(0.2) };
  const real = createHosts(options);
  const ideal = createHosts(options);
  const model = runModelOn(createModel(), ideal);

  /** @type {Map<string, { reached: () => void, release: Promise<void> }>} */
  const holds = new Map();
  const held = (/** @type {string} */ id) => {
    holds.get(id)?.reached();
    return holds.get(id)?.release ?? Promise.resolve();
  };
  const subject = createSubject(createDeps(real, createRandom(random.fork()), held, kind));

  const slots = Array.from({ length: SLOTS }, (_, at) => ({
    at,
    round: 0,
    id: `missing-${at}`,
    log: /** @type {string[]} */ ([]),
  }));
  let done = 0;

  /** @param {string} id @param {boolean} loads @param {boolean} [hold] */
  function script(id, loads, hold = false) {
    // A store that gives heads is asked once or twice.
    const made = /** @type {import('./hosts.mjs').Script} */ (
      randomScript(random, loads && kind !== 'heads')
    );
    if (hold) made.agent = [{ kind: 'plain', value: 'late', hold: true }];
    real.scripts.set(id, copyOf(made));
    ideal.scripts.set(id, copyOf(made));
  }

  /** @param {typeof slots[0]} slot @param {string} name @param {any[]} args */
  function call(slot, name, args) {
    done += 1;
    slot.log.push(`${name} ${show(args.slice(name === 'createJob' ? 0 : 1))}`);
    return settled(Promise.resolve(subject[name](...args)));
  }

  /** @param {typeof slots[0]} slot @param {[string, any[]][]} calls in the order in which they take effect */
  async function together(slot, calls) {
    const expected = calls.map(([name, args]) => model.run(name, args));
    const actual = await Promise.all(calls.map(([name, args]) => call(slot, name, args)));
    for (const [at, [name]] of calls.entries()) check(name, actual[at], expected[at]);
  }

  /** @param {string} name @param {any} actual @param {any} expected */
  function check(name, actual, expected) {
    count(tally, name, expected);
    try {
      compareOutcomes(actual, expected);
    } catch (error) {
      const message = /** @type {Error} */ (error).message;
      throw new Error(`${name} answered differently: ${message}`, { cause: error });
    }
  }

  /** A new job, sometimes asked for twice, sometimes started before it is there. @param {typeof slots[0]} slot */
  async function create(slot) {
    slot.id = `job-${slot.at}-${slot.round++}`;
    slot.log = [];
    const { id } = slot;
    script(id, true);
    const options = { id, ...(random.chance(0.7) && { plan: randomPlan(random, slot.at < SLOW_SLOTS) }) };
    const args = [randomContext(random), randomPermissions(random), options];
    /** @type {[string, any[]][]} */
    const calls = [['createJob', args]];
    if (random.chance(0.1)) calls.push(['createJob', args]);
    if (random.chance(0.3)) calls.push(['startJob', [id]]);
    await together(slot, calls);
  }

  /** @param {typeof slots[0]} slot */
  async function lifecycle(slot) {
    script(slot.id, true);
    const calls = Array.from({ length: 1 + random.below(4) }, () => randomLifecycle(random, slot.id));
    await together(slot, calls);
  }

  /** A router's step always gets an input, a plan's sometimes. @param {typeof slots[0]} slot */
  function inputFor({ id }) {
    const given = ideal.jobs.get(id)?.run.plan === undefined || random.chance(0.3);
    return given ? [id, { given: 'by the caller' }] : [id];
  }

  /** @param {typeof slots[0]} slot */
  async function step(slot) {
    script(slot.id, false);
    await together(slot, [['nextStep', inputFor(slot)]]);
  }

  /** Step after step. The engine commits less often than nextStep does, so the store does not fail. @param {typeof slots[0]} slot */
  async function run(slot) {
    const { id } = slot;
    script(id, false);
    for (const { scripts } of [real, ideal]) /** @type {any} */ (scripts.get(id)).save = [];
    const args = [id, random.chance(0.5) ? { input: 'for the first' } : {}];
    const expected = model.run('runJob', args);
    const actual = await call(slot, 'runJob', args);
    if (actual.value?.job) {
      assert.deepStrictEqual(actual.value.job, real.jobs.get(id));
      delete actual.value.job;
    }
    check('runJob', actual, expected);
  }

  /** A step whose agent is at work while people act on its job. @param {typeof slots[0]} slot */
  async function heldStep(slot) {
    const { id } = slot;
    script(id, false, true);
    const args = inputFor(slot);
    const begun = model.begin('nextStep', args);
    if ('ended' in begun) {
      check('nextStep', await call(slot, 'nextStep', args), begun.ended);
      return;
    }
    let release = () => {};
    const released = new Promise((resolve) => {
      release = () => resolve(undefined);
    });
    const reached = new Promise((resolve) => {
      holds.set(id, { reached: () => resolve(undefined), release: /** @type {any} */ (released) });
    });
    const stepping = call(slot, 'nextStep', args);
    await Promise.race([reached, stepping]);
    slot.log.push('  the agent is at work');
    await together(
      slot,
      Array.from({ length: random.below(4) }, () => randomLifecycle(random, id)),
    );
    const ended = hasEnded(ideal.jobs.get(id));
    if (ended) real.scripts.delete(id);
    release();
    const expected = begun.goOn();
    const actual = await stepping;
    holds.delete(id);
    slot.log.push('  the agent is done');
    check('nextStep', actual, expected);
    if (ended && keepsHistory) await lateResultOf(id);
  }

  /** What an agent gives after its job has ended is noted, sooner or later. @param {string} id */
  async function lateResultOf(id) {
    const noted = () =>
      real.jobs.get(id).history.some((/** @type {any} */ event) => event.type === 'late_result_dropped');
    for (let turns = 0; turns < 50 && !noted(); turns++)
      await new Promise((resolve) => setImmediate(resolve));
    assert.ok(noted(), 'a late result was not noted');
  }

  /** @param {typeof slots[0]} slot */
  async function turn(slot) {
    const job = ideal.jobs.get(slot.id);
    const status = job?.status;
    const ended = !job || hasEnded(job);
    const kind = random.weighted(
      ended
        ? { create: 6, lifecycle: 1, step: 0.5 }
        : {
            lifecycle: 3,
            step: status === 'running' ? 10 : 1,
            heldStep: status === 'running' ? 4 : 0,
            run: job?.run.plan && status !== 'created' ? 1.5 : 0,
          },
    );
    const before = structuredClone(viewOfJob(real.jobs.get(slot.id)) ?? null);
    try {
      await { create, lifecycle, step, heldStep, run }[/** @type {'create'} */ (kind)](slot);
      compareTraces(slot.id);
    } catch (error) {
      throw new Error(
        `job ${slot.id}, world ${seed}: ${/** @type {Error} */ (error).message}\n\nwhat was done to it:\n  ${slot.log.join('\n  ')}\n\nbefore the last batch: ${show(before)}\nafter: ${show(real.jobs.get(slot.id))}\nthe model's: ${show(ideal.jobs.get(slot.id))}`,
        { cause: error },
      );
    }
  }

  /** @param {string} id */
  function compareTraces(id) {
    assert.deepStrictEqual(
      byKind(real.takeRecords(id)),
      byKind(ideal.takeRecords(id)),
      'asked differently of the outside',
    );
    const job = real.jobs.get(id);
    assert.deepStrictEqual(viewOfJob(job), viewOfJob(ideal.jobs.get(id)), 'stored differently');
    if (keepsHistory) checkHistory(job);
  }

  while (done < operations) {
    const fast = slots.slice(SLOW_SLOTS).filter(() => random.chance(0.8));
    const turns = await Promise.allSettled(fast.map(turn));
    for (const ended of turns) if (ended.status === 'rejected') throw ended.reason;
    for (const slow of slots.slice(0, SLOW_SLOTS)) if (random.chance(0.5)) await turn(slow);
    const ms = random.below(1000);
    real.advance(ms);
    ideal.advance(ms);
  }
  await subject.close();
  return done;
}

/** @param {any} job */
const hasEnded = ({ status }) => status === 'completed' || status === 'failed';

/** @param {any} script @returns {any} the same faults, in lists of its own */
const copyOf = (script) => Object.fromEntries(Object.entries(script).map(([key, list]) => [key, [...list]]));

/** @param {Map<string, number>} tally @param {string} name @param {any} outcome */
function count(tally, name, { value, error }) {
  const how = error
    ? 'rejected'
    : value?.success === false
      ? (value.code ?? 'own refusal')
      : (value?.rejects ?? 'success');
  const key = `${name}: ${how}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}
