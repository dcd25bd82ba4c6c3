// Tries to take a job that another process runs, by a clock that is far off: node skewed-process.mjs URL JOB SKEW_MS
import { importPackage } from '../package/installed.mjs';

const [url, jobId, skewMs] = process.argv.slice(2);
const { now } = Date;
Date.now = () => now() + Number(skewMs);

const { createOrchestrator } = await importPackage();
const { createPostgresStore } = await importPackage('jobwright/postgres');
const store = await createPostgresStore({ connectionString: url });
const orchestrator = createOrchestrator({
  store,
  agentRegistry: { work: () => 'stolen' },
  leaseMs: 1_000,
  logger: {},
});
const outcomes = [];
for (let turn = 0; turn < 15; turn++) {
  const { resumed } = await orchestrator.recover();
  outcomes.push(resumed.length, (await orchestrator.runJob(jobId)).code);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
console.log(JSON.stringify([...new Set(outcomes)]));
await orchestrator.close();
await store.close();
