// @ts-check
/** Random jobs, run to their end by people who do what is asked of them, or something else. */
import { createRandom } from '../differential/random.mjs';
import { importPackage } from '../package/installed.mjs';

/** @typedef {import('../differential/random.mjs').Random} Random */

const { createMemoryStore, createOrchestrator, NonRetryableError } = await importPackage();

/** What must not be in a redacted export. */
export const SECRET = 'tell nobody';

const IDS = ['m', 'c', 'x', '10', 'a b'];

/** @param {Random} random @param {string} id @returns {any} */
function anyWork(random, id) {
  switch (random.below(9)) {
    case 0:
      return { id, approve: random.chance(0.5) ? { message: SECRET } : {} };
    case 1:
      return { id, wait: { ms: random.below(3) } };
    case 2:
      return { id, wait: { signal: random.pick([['go'], ['go', 'stop']]), timeoutMs: 1_000 } };
    case 3:
      return { id, job: { plan: { steps: [{ id: 'inner', agent: 'worker' }] }, context: { note: SECRET } } };
    case 4:
      return {
        id,
        agent: 'worker',
        forEach: random.pick([{ var: 'list' }, [1, SECRET], { var: `${IDS[0]}.made` }]),
      };
    case 5:
      return {
        id,
        agent: 'worker',
        repeat: { until: { '>': [{ var: `${id}.n` }, random.below(4)] }, max: 3 },
      };
    default:
      return { id, agent: 'worker' };
  }
}

/** @param {Random} random */
export function anyPlan(random) {
  const steps = IDS.slice(0, 1 + random.below(IDS.length)).map((id, place, ids) => {
    const step = anyWork(random, id);
    if (random.chance(0.5)) step.after = ids.slice(0, place).filter(() => random.chance(0.4));
    if (random.chance(0.25)) {
      step.when = random.pick([false, { var: 'yes' }, { '>': [{ var: `${ids[0]}.n` }, 1] }, { '+': ['x'] }]);
    }
    if (random.chance(0.4)) step.onError = 'continue';
    if (random.chance(0.1)) step.breakpoint = true;
    if (random.chance(0.2) && step.approve === undefined) step.approval = true;
    if (step.agent === undefined) return step;
    if (random.chance(0.3)) step.retry = { maxAttempts: 3, backoffMs: 2, jitter: random.pick([0, 0.5]) };
    if (random.chance(0.3)) step.tools = ['search'];
    if (random.chance(0.3)) step.input = { told: SECRET };
    if (random.chance(0.2)) step.timeoutMs = 5;
    if (random.chance(0.03)) step.agent = 'nobody';
    return step;
  });
  return { concurrency: 1 + random.below(3), steps };
}

/** @param {Random} random */
function worker(random) {
  return async (/** @type {any} */ input, /** @type {any} */ context) => {
    if (random.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, random.below(8)));
    if (random.chance(0.1)) context.emit('noted', { what: SECRET });
    if (random.chance(0.1)) await context.callTool('search', SECRET);
    if (random.chance(0.12)) throw new NonRetryableError(SECRET);
    if (random.chance(0.15)) throw Object.assign(new Error(SECRET), random.chance(0.5) && { retryAfter: 4 });
    return { n: random.below(5), made: [1, SECRET], said: SECRET, input };
  };
}

/** @param {Random} random */
function makeOrchestrator(random, store) {
  let routed = random.below(4);
  return createOrchestrator({
    store,
    agentRegistry: { worker: worker(random) },
    tools: { search: { needsApproval: true, execute: () => 'found' } },
    router: () => (routed-- > 0 ? { agent: 'worker', input: SECRET, tools: ['search'] } : null),
    logger: {},
  });
}

/** A plain store: only the two methods that every store has. */
function createPlainStore() {
  const jobs = new Map();
  return {
    saveJob: (/** @type {any} */ job) => void jobs.set(job.id, structuredClone(job)),
    getJob: (/** @type {string} */ id) => structuredClone(jobs.get(id)) ?? null,
  };
}

/** Does for a job that stopped what somebody might. @param {any} o @param {string} id @param {any} job @param {Random} random */
async function goOn(o, id, job, random) {
  const [approval] = job.run?.approvals ?? [];
  if (random.chance(0.1)) await o.setPermissions(id, { requireApproval: random.chance(0.5) });
  if (random.chance(0.03)) await o.cancelJob(id, SECRET);
  if (random.chance(0.03)) await o.failJob(id, SECRET);
  if (approval !== undefined) {
    const answer = {
      approval: approval.id,
      ...(random.chance(0.5) && { by: SECRET, note: SECRET, reason: SECRET }),
    };
    await (random.chance(0.8) ? o.approveStep : o.rejectStep)(id, answer);
  }
  if (job.run?.pause?.reason === 'step_limit') await o.setPermissions(id, { maxSteps: 100 });
  await o.setPermissions(id, { allowTools: true });
  await o.startJob(id);
}

/** Does something to a job while it runs. @param {any} o @param {string} id @param {Random} random */
async function meddle(o, id, random) {
  for (let times = 0; times < 3; times++) {
    await new Promise((resolve) => setTimeout(resolve, random.below(4)));
    if (random.chance(0.3)) await o.pauseJob(id);
    await o.signal(id, random.pick(['go', 'stop', 'unheard']), { x: random.below(3), said: SECRET });
    if (random.chance(0.1)) await o.setBreakpoints(id, []);
    if (random.chance(0.5)) await o.startJob(id);
  }
}

/**
 * Runs a random job, as far as it comes; some stand still in the middle.
 *
 * @param {number} seed
 */
export async function anyRun(seed) {
  const random = createRandom(seed);
  const store = random.chance(0.5) ? createMemoryStore() : createPlainStore();
  let o = makeOrchestrator(random, store);
  const permissions = {
    requireApproval: random.chance(0.2),
    allowTools: random.chance(0.9),
    maxSteps: random.pick([1, 50]),
  };
  const plan = random.chance(0.85) ? anyPlan(random) : undefined;
  const context = { yes: random.chance(0.7), list: [SECRET, 2, 3].slice(random.below(3)), other: SECRET };
  const id = await o.createJob(context, permissions, plan && { plan });
  await o.startJob(id);
  const turns = random.chance(0.2) ? 1 : 12;
  for (let turn = 0; turn < turns; turn++) {
    const [outcome] = await Promise.all([
      random.chance(0.3) ? o.nextStep(id, SECRET) : o.runJob(id, { input: SECRET }),
      meddle(o, id, random),
    ]);
    const job = await o.getJob(id);
    if (outcome.success && job.status !== 'running') break;
    if (job.status === 'failed') break;
    await goOn(o, id, job, random);
    if (random.chance(0.2)) {
      // Another process takes over.
      await o.close();
      o = makeOrchestrator(random, store);
      if (random.chance(0.5)) await o.recover();
    }
  }
  return { o, id, store, random, job: await o.getJob(id) };
}
