// Everything a store can do, against whoever else does: node sqlite-hammer.mjs PATH NAME TIMES
import { changeOf, eventOf, jobOf } from './jobs.mjs';
import { createSqliteStore } from './sqlite-driver.mjs';

const JOBS = 3;
const [path, name, times] = process.argv.slice(2);
const store = await createSqliteStore({ path });

/** How many commits went well, by job. */
const committed = {};

function isConflict(work) {
  try {
    work();
    return false;
  } catch (error) {
    if (error.name !== 'ConflictError') throw error;
    return true;
  }
}

function countUp(id) {
  for (;;) {
    const job = store.getJob(id);
    if (job === null) {
      isConflict(() => store.commit(changeOf(id, 0, { context: { count: 0 } })));
      continue;
    }
    const { run, context } = job;
    const events = [eventOf(run.revision, { by: name })];
    const change = changeOf(id, run.revision, { context: { count: context.count + 1 }, events });
    if (!isConflict(() => store.commit(change))) break;
  }
  committed[id] = (committed[id] ?? 0) + 1;
}

for (let n = 0; n < Number(times); n += 1) {
  const id = `shared ${n % JOBS}`;
  countUp(id);
  const token = store.acquireLease(id, name, 1000);
  if (token !== null) store.releaseLease(id, token);
  store.saveJob(jobOf(`ended ${name} ${n}`, { status: 'completed', timing: { created: 1, completed: 2 } }));
  store.prune({ endedBefore: 3 });
  store.setControl({ paused: n % 2 === 0 });
  if (store.listJobs({ limit: 10 }).length === 0) throw new Error('no jobs');
  store.getEvents(id, 0, 10);
}
store.prune({ endedBefore: 3 });
await store.close();
console.log(JSON.stringify({ committed }));
