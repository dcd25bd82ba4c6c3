// @ts-check
import { eventText } from '../parts/commit-rows.js';
import { decodeKey } from './keys.js';
import { cutJob } from './rows.js';

/**
 * From one row for each key of the context, each step and each event to one for each commit. Of what was written before
 * nobody knows in which commits, so a job has as few rows as may be.
 *
 * @param {import('./driver.js').Database} database
 */
export function moveToCommits(database) {
  const context = database.prepare('SELECT key, value FROM context WHERE job = ? ORDER BY place');
  const steps = database.prepare('SELECT id, state FROM steps WHERE job = ? ORDER BY place');
  const history = database.prepare('SELECT seq, event FROM history WHERE job = ? ORDER BY seq');
  const addRow = database.prepare('INSERT INTO commits (place, last_seq, change) VALUES (? << 32 | ?, ?, ?)');
  const setPruned = database.prepare('UPDATE jobs SET pruned_seq = ? WHERE n = ?');

  for (const { n, last_seq: lastSeq } of database.prepare('SELECT n, last_seq FROM jobs').all()) {
    const events = history.all(n);
    const pruned = events.length > 0 ? 0 : lastSeq;
    const cut = cutJob();
    for (const { key, value } of context.all(n)) cut.addKey('context', decodeKey(key), value);
    for (const { id, state } of steps.all(n)) cut.addKey('steps', decodeKey(id), state);
    for (const { seq, event: text } of events) {
      const event = JSON.parse(text);
      cut.addEvent(eventText(event), seq, event?.seq === seq);
    }
    for (const [i, { lastSeq, change }] of cut.end().entries()) addRow.run(n, i + 1, lastSeq, change);
    if (pruned > 0) setPruned.run(pruned, n);
  }
}
