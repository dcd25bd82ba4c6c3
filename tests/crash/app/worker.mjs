// @ts-check
/** A worker as a user would write one: takes up what others left, starts what is new, several jobs side by side. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOrchestrator } from 'jobwright';
import { createAgents } from './agents.mjs';
import { openBudgets } from './budgets.mjs';
import { careless } from './careless.mjs';
import { openLedger } from './ledger.mjs';
import { tellRefusals } from './refusals.mjs';
import { openStore } from './stores.mjs';

/** How many jobs a worker starts while it runs others; it takes up whatever was left. */
const SIDE_BY_SIDE = 6;
const POLL_MS = 40;

/** @type {{ name: string, kind: string, where: string, folder: string, leaseMs: number, isCareless: boolean }} */
const { name, kind, where, folder, leaseMs, isCareless } = JSON.parse(process.argv[2] ?? '');
let isEnding = false;
process.on('message', () => {
  isEnding = true;
});
// Whoever started this process has ended, so nobody is left to work for.
process.on('disconnect', () => process.exit(isEnding ? 0 : 1));
// It may have been so while this file was loaded.
if (!process.connected) process.exit(1);
/** @param {object} message */
const tell = (message) => void (process.connected && process.send?.(message, undefined, {}, () => {}));
/** @param {unknown[]} words */
const log = (...words) => tell({ type: 'log', text: words.map(String).join(' ') });

const opened = await openStore(kind, where);
const store = tellRefusals(isCareless ? careless(opened) : opened, () => tell({ type: 'refused' }));
const budgetManager = openBudgets(join(folder, 'budgets.db'));
const ledger = openLedger(join(folder, 'ledger'), name);
const agentRegistry = createAgents(ledger, () => tell({ type: 'call' }));
const logger = { warn: log, error: log };
const orchestrator = createOrchestrator({ store, budgetManager, agentRegistry, leaseMs, logger });
/** @type {Map<string, Promise<void>>} */
const running = new Map();

/** @param {string} jobId */
async function run(jobId) {
  try {
    await orchestrator.runJob(jobId);
  } catch (error) {
    log(`runJob ${jobId}:`, error);
  }
  running.delete(jobId);
}

async function takeUp() {
  const { resumed } = await orchestrator.recover();
  const created = await orchestrator.listJobs({ status: 'created' });
  // Child jobs are started by the step that made them.
  const fresh = created
    .filter(({ type }) => type === 'work')
    .slice(0, Math.max(0, SIDE_BY_SIDE - running.size));
  for (const { id } of fresh) {
    if ((await orchestrator.startJob(id)).success) resumed.push(id);
  }
  for (const id of resumed) if (!running.has(id)) running.set(id, run(id));
}

tell({ type: 'ready' });
while (!isEnding) {
  try {
    await takeUp();
  } catch (error) {
    log('takeUp:', error);
  }
  await sleep(POLL_MS);
}
await Promise.all(running.values());
await orchestrator.close();
await store.close();
await budgetManager.close();
process.disconnect();
