/** A file of the third schema, which had a row for each key, each step and each event, is brought up to date whole. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createMemoryStore } from '../../pkg-template/parts/memory-store.js';
import { encodeKey } from '../../pkg-template/sqlite/keys.js';
import { changeOf, eventOf, jobOf } from './jobs.mjs';
import { createSqliteStore, openDatabase } from './sqlite-driver.mjs';

const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));

const toThird = `
  DELETE FROM jobs; DELETE FROM plans; DELETE FROM context; DELETE FROM steps; DROP TABLE events;
  ALTER TABLE jobs ADD COLUMN lease_process TEXT;
  CREATE TABLE history (
    place INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event TEXT NOT NULL,
    UNIQUE (job, seq)
  ) STRICT;
  PRAGMA user_version = 3;
`;

/** As the third schema stored a job. */
function insert(database, n, job, lastSeq, numberOf) {
  const { context, history, run, ...rest } = job;
  const { plan, steps = {}, ...kept } = run;
  const head = JSON.stringify({ ...rest, run: kept });
  const text = JSON.stringify;
  const add = (table, names, ...values) => {
    const places = values.map(() => '?').join(', ');
    database.prepare(`INSERT INTO ${table} (${names}) VALUES (${places})`).run(...values);
  };
  const ended = rest.timing.completed ?? null;
  const names = 'n, id, status, revision, ended, last_seq, head';
  add('jobs', names, n, encodeKey(job.id), job.status, kept.revision, ended, lastSeq, head);
  if (plan !== undefined) add('plans', 'job, plan', n, text(plan));
  for (const key of Object.keys(context))
    add('context', 'job, key, value', n, encodeKey(key), text(context[key]));
  for (const id of Object.keys(steps)) add('steps', 'job, id, state', n, encodeKey(id), text(steps[id]));
  for (const [i, event] of history.entries()) add('history', 'job, seq, event', n, numberOf(i), text(event));
}

const ODD = ['nul\0', '\ud800', '"', '__proto__', '', '7', 'é'];
const large = jobOf('large', {
  context: JSON.parse(`{${ODD.map((key, i) => `${JSON.stringify(key)}:{"i":${i},"lone":"\\udc00"}`)}}`),
  history: Array.from({ length: 2_500 }, (_, i) => eventOf(i + 1, { text: `event \0 ${i}` })),
  run: {
    schema: 1,
    revision: 40,
    plan: { steps: [{ id: 'a', agent: 'A' }] },
    steps: JSON.parse(`{${ODD.map((key) => `${JSON.stringify(key)}:{"status":"done","attempts":1}`)}}`),
  },
});
const { seq: none, ...unnumbered } = eventOf(1);
const foreign = jobOf('foreign \0', {
  history: [unnumbered, eventOf(5), unnumbered],
  run: { schema: 1, revision: 3 },
});
const pruned = jobOf('pruned', {
  status: 'failed',
  timing: { created: 1, completed: 5 },
  context: { kept: true },
  run: { schema: 1, revision: 9 },
});
const bare = jobOf('bare', { run: { schema: 1, revision: 1 } });

async function makeFile() {
  const path = join(folder, 'third.db');
  const database = await openDatabase(path);
  database.exec(readFileSync(new URL('./sqlite-schema-1.sql', import.meta.url), 'utf8'));
  database.exec(`BEGIN; ${toThird}`);
  insert(database, 4, large, 2_500, (i) => i + 1);
  // What others than the engine stored had no numbers, and the first two of these were removed.
  insert(database, 5, foreign, 6, (i) => [3, 5, 6][i]);
  insert(database, 7, pruned, 12, () => 0);
  insert(database, 9, bare, 0, () => 0);
  database.exec('COMMIT');
  database.close();
  return path;
}

test('a database of the third schema is brought up to date, with all that its jobs have', async () => {
  const path = await makeFile();
  const [store, other] = await Promise.all([1, 2].map(() => createSqliteStore({ path, check: true })));
  const jobs = [large, foreign, pruned, bare];
  assert.deepEqual(
    store.listJobs().map(({ id }) => id),
    jobs.map(({ id }) => id),
  );
  const model = createMemoryStore();
  for (const job of jobs) {
    model.saveJob(job);
    // As text, since the order of keys is to be the same too.
    assert.equal(JSON.stringify(other.getJob(job.id)), JSON.stringify(model.getJob(job.id)));
  }
  assert.deepEqual(store.getEvents('large', 1_998, 4), large.history.slice(1_998, 2_002));
  assert.deepEqual(store.getEvents(foreign.id, 3), [eventOf(5), unnumbered]);
  assert.deepEqual(store.getEvents(foreign.id, 5), [unnumbered]);
  assert.throws(() => store.commit(changeOf('pruned', 9, { events: [eventOf(12)] })), {
    name: 'ConflictError',
  });
  assert.equal(store.prune({ endedBefore: 6, keepJob: true }), 0);
  store.commit(changeOf('pruned', 9, { context: { kept: undefined, more: 1 }, events: [unnumbered] }));
  assert.deepEqual(store.getJob('pruned').context, { more: 1 });
  assert.deepEqual(other.getEvents('pruned', 12), [unnumbered]);
  assert.deepEqual(other.getEvents('pruned', 13), []);
  for (const each of [store, other]) await each.close();
  const again = await createSqliteStore({ path });
  assert.deepEqual(again.getJob('large').history, large.history);
  await again.close();
});
