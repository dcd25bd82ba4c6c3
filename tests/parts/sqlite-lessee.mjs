// Takes the lease of a job, and lives until it is killed: node sqlite-lessee.mjs PATH JOB
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';

const [path, job] = process.argv.slice(2);
const store = await createSqliteStore({ path });
console.log(`token ${store.acquireLease(job, 'the process', 600_000)}`);
setInterval(() => {}, 1_000);
