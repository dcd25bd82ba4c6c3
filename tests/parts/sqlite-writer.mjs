// Counts up in one job, against whoever else does: node sqlite-writer.mjs PATH NAME TIMES
import { changeOf, eventOf } from './jobs.mjs';
import { createSqliteStore } from './sqlite-driver.mjs';

const [path, name, times] = process.argv.slice(2);
const store = await createSqliteStore({ path });

function attempt(work) {
  try {
    work();
    return true;
  } catch (error) {
    if (error.name !== 'ConflictError') throw error;
    return false;
  }
}

attempt(() => store.commit(changeOf('shared', 0, { context: { count: 0 } })));
for (let done = 0; done < Number(times); ) {
  const { context, run } = store.getJob('shared');
  const event = eventOf(run.revision, { by: name });
  const change = changeOf('shared', run.revision, { context: { count: context.count + 1 }, events: [event] });
  if (attempt(() => store.commit(change))) done += 1;
  if (done === 20) console.log('well under way');
}
await store.close();
