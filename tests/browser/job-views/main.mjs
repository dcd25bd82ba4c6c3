/** The page of a job on an orchestrator of its own, for tests: they make and run jobs through `window.jobs`. */
import { createBudgetManager, createMemoryStore, createOrchestrator } from 'jobwright';
import { mount } from 'svelte';
import '../../../www/src/theme.css';
import Page, { history } from './Page.svelte';
import { sourceOver } from './source.mjs';

const budgetManager = createBudgetManager();
/** What agents wait for, by name. */
const gates = new Map();
const opened = new Set();

function pass(name) {
  if (opened.has(name)) return undefined;
  return new Promise((resolve) => gates.set(name, [...(gates.get(name) ?? []), resolve]));
}

const agentRegistry = {
  echo: (input) => ({ success: true, data: input ?? 'nothing', cost: 2 }),
  short: () => 'done',
  gated: async (_, { step, item }) => {
    await pass(item === undefined ? step : `${step}[${item}]`);
    return { success: true, data: { step, said: 'done' }, cost: 3 };
  },
  flaky: (_, { attempt, emit }) => {
    emit('tried', { attempt });
    if (attempt < 3) throw new Error(`attempt ${attempt} did not work`);
    return 'third time lucky';
  },
  counter: (_, { context }) => ({ n: (context.count?.n ?? 0) + 1 }),
  hostile: () => window.hostileOutput,
};

const store = createMemoryStore();
const orchestrator = createOrchestrator({
  store,
  agentRegistry,
  budgetManager,
  logger: {},
});
const source = sourceOver(orchestrator, store, budgetManager);
// A job that was written by somebody else, shown as a file is.
const foreign = new Map();

window.jobs = {
  orchestrator,
  history,
  source,
  async make(plan, { id, context = {}, permissions = {}, budget = 10_000, ...options } = {}) {
    const all = { requireApproval: false, maxSteps: 100_000, ...permissions };
    return orchestrator.createJob(context, all, { id, plan, budget, ...options });
  },
  async run(id) {
    await orchestrator.startJob(id);
    void orchestrator.runJob(id);
  },
  open(name) {
    opened.add(name);
    for (const resolve of gates.get(name) ?? []) resolve();
  },
  addForeign: (job) => void foreign.set(job.id, job),
};

const shown = {
  ...source,
  getJob: async (id) => {
    if (window.jobs.failing !== undefined) throw new Error(window.jobs.failing);
    return foreign.get(id) ?? source.getJob(id);
  },
  getHead: async (id) => foreign.get(id) ?? source.getHead(id),
  events: (id, options) => (foreign.has(id) ? (async function* () {})() : source.events(id, options)),
};

mount(Page, { target: document.body, props: { source: shown } });
document.documentElement.dataset.ready = 'yes';
