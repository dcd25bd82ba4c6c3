// @ts-check
/** What the page folds from the history of a random run is what the orchestrator says of the job. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyRun } from '../replay/random-runs.mjs';
import { importOfPage, plainState } from './history.mjs';

const { historyOf, History } = await importOfPage('history/index.ts');

const RUNS = Number(process.env.JOBWRIGHT_RUNS ?? 250);

/** @param {any} job what the engine says, in the fold's words */
function said({ status, timing, permissions, run = {} }) {
  /** @type {Record<string, any>} */
  const steps = {};
  for (const [id, state] of Object.entries(run.steps ?? {})) {
    // A step that was named and of which nothing came is in no event.
    if (state.status === 'pending' && state.seq === undefined) continue;
    const { status, startedAt, finishedAt, childId, error, approvedBy, round = 0 } = state;
    const attempts = state.roundEnded || (status === 'pending' && round > 0) ? 'of a round' : state.attempts;
    steps[id] = { status, startedAt, finishedAt, childId, error, approvedBy, round, attempts };
  }
  return {
    status,
    started: timing.started,
    completed: timing.completed,
    pause: run.pause?.reason ?? (status === 'paused' ? 'user' : undefined),
    failure: run.failure?.step === undefined ? undefined : run.failure,
    breakpoints: run.breakpoints ?? [],
    signals: (run.signals ?? []).map((/** @type {any} */ { name }) => name),
    approvals: (run.approvals ?? []).map((/** @type {any} */ { id }) => id),
    stepsTaken: run.stepsTaken ?? 0,
    permissions,
    steps,
  };
}

/** @param {any} state @param {any} job */
function folded(state, job) {
  /** @type {Record<string, any>} */
  const steps = {};
  for (const [id, step] of [...state.steps, ...state.items]) {
    const { status, startedAt, finishedAt, childId, error, approvedBy, rounds } = step;
    const stored = job.run.steps?.[id] ?? {};
    const between = stored.roundEnded || (stored.status === 'pending' && stored.round > 0);
    const attempts = between ? 'of a round' : step.attempts;
    // What went wrong in an attempt before is kept until the next one begins.
    steps[id] = { status, startedAt, finishedAt, childId, error, approvedBy, round: rounds, attempts };
  }
  return {
    status: state.status,
    started: state.started,
    completed: state.completed,
    pause: state.pause?.reason,
    failure: state.failure,
    breakpoints: state.breakpoints,
    signals: state.signals.map((/** @type {any} */ { name }) => name),
    approvals: [...state.approvals.keys()],
    stepsTaken: state.stepsTaken,
    permissions: state.permissions ?? job.permissions,
    steps,
  };
}

/** @param {any} value */
const plain = (value) => JSON.parse(JSON.stringify(value));

test('at its end, the fold of a random run says what the orchestrator says', {
  timeout: 300_000,
}, async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const { o, job } = await anyRun(seed);
    await o.close();
    const history = historyOf(job);
    assert.deepEqual(plain(folded(history.now, job)), plain(said(job)), `seed ${seed}`);
    if (job.history.some((/** @type {any} */ { type }) => type === 'job_created')) {
      assert.deepEqual(plain(Object.fromEntries(history.now.context)), plain(job.context), `seed ${seed}`);
    }
  }
});

test('a history that comes in parts folds as one that comes whole, and any moment as its beginning', {
  timeout: 300_000,
}, async () => {
  for (let seed = 1_000; seed < 1_000 + RUNS / 5; seed++) {
    const { o, job } = await anyRun(seed);
    await o.close();
    const whole = historyOf(job);
    const parts = new History(job.id, job.run?.plan);
    for (const event of job.history) parts.append([event]);
    for (let position = 0; position <= job.history.length; position++) {
      const beginning = new History(job.id, job.run?.plan);
      beginning.append(job.history.slice(0, position));
      const expected = plainState(beginning.now);
      assert.deepEqual(plainState(parts.at(position)), expected, `seed ${seed} at ${position}`);
      assert.deepEqual(
        { ...plainState(whole.at(position)), created: undefined },
        { ...expected, created: undefined },
        `seed ${seed} at ${position}`,
      );
    }
  }
});
