// @ts-check
/** Each snapshot of a machine is written as it comes, as xstate's guide on persistence does; none is read again. */
import Database from 'better-sqlite3';
import { createActor, toPromise } from 'xstate';
import { machineOf } from './runner.mjs';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @param {string} path
 * @param {'NORMAL' | 'FULL'} synchronous
 * @returns {import('../../workloads/plan-of-steps.mjs').Runner}
 */
export function xstateRunner(wanted, path, synchronous) {
  const database = new Database(path);
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${synchronous}`);
  database.exec('CREATE TABLE jobs (id INTEGER PRIMARY KEY, snapshot TEXT NOT NULL)');
  const save = database.prepare('INSERT OR REPLACE INTO jobs VALUES (?, ?)');
  const read = database.prepare('SELECT snapshot FROM jobs WHERE id = ?').pluck();
  const machine = machineOf(wanted);
  let last = 0;
  return {
    create: async () => {
      const id = ++last;
      const actor = createActor(machine);
      actor.subscribe(() => save.run(id, JSON.stringify(actor.getPersistedSnapshot())));
      return { id, actor };
    },
    run: async ({ actor }) => {
      actor.start();
      await toPromise(actor);
      return { context: actor.getSnapshot().context };
    },
    read: async ({ id }) => JSON.parse(String(read.get(id))),
    clear: () => database.exec('DELETE FROM jobs'),
    close: () => database.close(),
  };
}
