/**
 * The one statement of an ordinary commit stores and refuses what the long way does: the same is asked of two files, on one
 * of which that statement never stores anything, by two stores on each.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { changeOf, commitAsEngine, eventOf, jobOf } from './jobs.mjs';
import { createSqliteStore, openDatabase } from './sqlite-driver.mjs';

const LONG = 600_000;
const TABLES = ['jobs', 'early_commits', 'run_commits', 'plans', 'control', 'sqlite_sequence'];
const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

const counts = { tried: 0, stored: 0 };
let isLong = false;

/** Both libraries have their statements from a method of this name. */
async function watchOrdinary() {
  const database = await openDatabase(':memory:');
  const library = Object.getPrototypeOf(database);
  database.close();
  const { prepare } = library;
  library.prepare = function (sql) {
    const statement = prepare.call(this, sql);
    if (!/^INSERT INTO run_commits .*SELECT/s.test(sql)) return statement;
    const run = (...values) => {
      if (isLong) throw Object.assign(new Error('datatype mismatch'), { code: 'SQLITE_MISMATCH' });
      counts.tried += 1;
      const made = statement.run(...values);
      counts.stored += 1;
      return made;
    };
    return { run };
  };
}

const store = fc.nat(1);
const id = fc.constantFrom('j', 'j', 'j', 'nul\0');
const mostly = (first, ...others) => fc.noBias(fc.constantFrom(...Array(25).fill(first), ...others));
const gaps = fc.noBias(fc.array(mostly(1, 3, 0, -1), { minLength: 0, maxLength: 3 }));

const commands = fc.oneof(
  {
    weight: 50,
    arbitrary: fc.record({
      kind: fc.constant('commit'),
      store,
      id,
      own: mostly(true, false),
      late: mostly(0, 1, 1, 1, -1),
      head: mostly('running', 'allowed', 'paused', 'completed', 'odd'),
      token: mostly('held', 'none', 'old', 'part', 'null', 'NaN'),
      gaps,
      plan: mostly(undefined, { steps: [] }),
      context: mostly({ a: 1 }, {}, {}, {}, {}, {}, {}, {}, {}),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('save'),
      store,
      id,
      head: fc.constantFrom('running', 'allowed', 'paused', 'completed'),
      more: fc.nat(1),
      less: fc.nat(1),
      whole: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), store, id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prune'), store, keepJob: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('acquire'), store, id, ms: mostly(LONG, 0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('release'), store, id }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set'), store, paused: mostly(false, true) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('look'), store }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('backup', 'restore'), store }) },
);

// The engine hands over the same objects where nothing has changed in them.
const permissions = { allowTools: false, requireApproval: true, maxSteps: 10 };
const others = { ...permissions, maxSteps: 11 };

/** @param {string} kind */
function headOf(kind) {
  if (kind === 'completed') return { status: kind, permissions, timing: { created: 1, completed: 2 } };
  if (kind === 'allowed') return { status: 'running', permissions: others, timing: { created: 1 } };
  if (kind === 'paused') return { status: kind, permissions, timing: { created: 1 } };
  return { status: 'running', permissions, timing: { created: 1 } };
}

/** One of the two files, with two stores on it. */
async function place() {
  files += 1;
  const path = join(folder, `${files}.db`);
  const stores = [await createSqliteStore({ path }), await createSqliteStore({ path })];
  const raw = await openDatabase(path);
  let backup = dump(raw);
  const readToken = raw.prepare('SELECT lease_token FROM jobs WHERE id = ?');
  /** The token of the job's lease, as it is. */
  const heldOn = (id) => readToken.get(id === 'j' ? id : JSON.stringify(id))?.lease_token ?? undefined;
  // Else the first ones are in vain.
  stores[0].saveJob(jobOf('j'));
  stores[0].acquireLease('j', 'owner 0', LONG);
  const close = async () => {
    for (const each of stores) await each.close();
    raw.close();
  };

  /** @param {any} command */
  function run(command) {
    const { kind, id, own, gaps, context, plan } = command;
    const at = stores[command.store];
    if (kind === 'delete') return at.deleteJob(id);
    if (kind === 'prune') return at.prune({ endedBefore: 9, keepJob: command.keepJob });
    if (kind === 'set') return at.setControl({ paused: command.paused });
    if (kind === 'look') return at.getControl();
    if (kind === 'backup') backup = dump(raw);
    if (kind === 'backup') return null;
    if (kind === 'restore') return restore(raw, backup);
    if (kind === 'release') return at.releaseLease(id, heldOn(id) ?? 1);
    if (kind === 'acquire') return at.acquireLease(id, `owner ${command.store}`, command.ms);
    const { run: { revision = 0 } = {} } = at.getHead(id) ?? {};
    const last = at.getEvents(id).at(-1)?.seq ?? 0;
    if (kind === 'save') {
      const run = { schema: 1, revision: revision - command.less, seq: last };
      const history = last + command.more > 0 ? [eventOf(last + command.more)] : [];
      const head = headOf(command.head);
      return at.saveJob(jobOf(id, { ...head, history, run: command.whole ? { schema: 1 } : run }));
    }
    const events = [];
    for (const gap of gaps) events.push(eventOf(Math.max(1, (events.at(-1)?.seq ?? last) + gap)));
    const change = changeOf(id, revision - command.late, { events, context: { ...context } });
    Object.assign(change.head, headOf(command.head));
    change.head.run.seq = command.head === 'odd' ? 0.5 : (events.at(-1)?.seq ?? last);
    if (plan !== undefined) change.plan = plan;
    change.fencingToken = tokenOf(command.token, heldOn(id));
    return own ? commitAsEngine(at, change) : at.commit(change);
  }

  /** @param {any} command */
  function outcome(command) {
    try {
      return { value: run(command) };
    } catch (error) {
      return { error: String(error), code: error.code, details: error.details };
    }
  }

  const state = () => ({
    tables: dump(raw),
    read: stores.map((each) => ['j', 'nul\0'].map((id) => [each.getHead(id), each.getJob(id)])),
  });
  return { outcome, state, close };
}

/** @param {string} kind @param {number | undefined} held */
const tokenOf = (kind, held) =>
  ({ held, old: held - 1, part: held + 0.5, null: null, NaN: Number.NaN })[kind];

/** All that is stored, but until when leases last. */
function dump(raw) {
  return TABLES.map((name) => {
    const rows = raw.prepare(`SELECT rowid AS rowid, * FROM ${name} ORDER BY rowid`).all();
    return rows.map(({ lease_until, ...row }) => ({ ...row }));
  });
}

/** As if an older copy of the file had been put in its place. */
function restore(raw, backup) {
  raw.exec('BEGIN IMMEDIATE');
  for (const [i, name] of TABLES.entries()) {
    raw.exec(`DELETE FROM ${name}`);
    for (const { rowid, ...row } of backup[i]) {
      const columns = Object.keys(row);
      const values = columns.map(() => '?').join(', ');
      raw
        .prepare(`INSERT INTO ${name} (${columns.join(', ')}) VALUES (${values})`)
        .run(...Object.values(row));
    }
  }
  raw.exec(`UPDATE jobs SET lease_until = ${Date.now() + LONG} WHERE lease_token IS NOT NULL; COMMIT`);
}

test('one statement stores and refuses what the long way does, whatever two stores do', async () => {
  await watchOrdinary();
  await fc.assert(
    fc.asyncProperty(fc.array(commands, { minLength: 80, maxLength: 150, size: 'max' }), async (list) => {
      const [one, long] = [await place(), await place()];
      try {
        for (const command of list) {
          isLong = false;
          const found = { ...one.outcome(command), ...one.state() };
          isLong = true;
          assert.deepEqual(found, { ...long.outcome(command), ...long.state() });
        }
      } finally {
        await one.close();
        await long.close();
      }
    }),
    { numRuns: 40 },
  );
  // The rest was refused as it had to be, or had to be tried in vain.
  assert.ok(counts.stored > 100, `stored ${counts.stored} of ${counts.tried}`);
  assert.ok(counts.tried > counts.stored, `tried in vain: none of ${counts.tried}`);
});
