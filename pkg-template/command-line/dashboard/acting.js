// @ts-check
/** What is done: every POST. The arguments are checked by the orchestrator, but for those that it is not given. */
import { whoami } from '../asking.js';
import { Wrong } from './http.js';

/**
 * @typedef {import('./server.js').Home} Home
 * @typedef {Record<string, any>} Body
 */

const NO_ACCOUNTS = 'Budget accounts are not kept in this store: whoever runs the jobs has them';

/** @type {Record<string, (home: Home, body: Body) => Promise<unknown>>} */
export const actions = {
  async createJob({ orchestrator }, { plan, context, permissions, budget, ...more }) {
    if (budget !== undefined) throw new Wrong(400, 'unsupported', `${NO_ACCOUNTS}.`);
    if (plan === undefined) throw new Wrong(400, 'invalid_argument', 'plan: expected a plan, found nothing.');
    const { id, slowPlayMs, type, config } = more;
    return orchestrator.createJob(context, permissions, given({ id, plan, slowPlayMs, type, config }));
  },
  startJob: async ({ runner, veil }, body) => veil.outcome(await runner.start(idOf(body))),
  pauseJob: async ({ orchestrator, veil }, body) => veil.outcome(await orchestrator.pauseJob(idOf(body))),
  stepJob: async ({ runner, veil }, body) => veil.outcome(await runner.step(idOf(body))),
  cancelJob: async ({ orchestrator, veil }, body) =>
    veil.outcome(await orchestrator.cancelJob(idOf(body), body.reason)),
  approveStep: async (home, body) => {
    const answer = given({ by: whoami(), approval: body.approval, step: body.step, note: body.note });
    return andGoOn(home, idOf(body), await home.orchestrator.approveStep(idOf(body), answer));
  },
  rejectStep: async (home, body) => {
    const answer = given({ by: whoami(), approval: body.approval, step: body.step, reason: body.reason });
    return andGoOn(home, idOf(body), await home.orchestrator.rejectStep(idOf(body), answer));
  },
  signal: async ({ orchestrator, veil }, body) =>
    veil.outcome(await orchestrator.signal(idOf(body), body.name, body.payload)),
  setBreakpoints: async ({ orchestrator, veil }, body) =>
    veil.outcome(await orchestrator.setBreakpoints(idOf(body), body.steps)),
  setPermissions: async ({ orchestrator, veil }, body) =>
    veil.outcome(await orchestrator.setPermissions(idOf(body), body.permissions)),
  setBudget: async () => ({ success: false, error: NO_ACCOUNTS, code: 'unsupported' }),
  setSlowPlay: async (home, { ms }) => {
    home.orchestrator.setSlowPlay(ms);
    home.slowPlayMs = ms;
    return null;
  },
  async pauseAll({ orchestrator, hub }) {
    const answer = await orchestrator.pauseAll();
    hub.controlled();
    return answer;
  },
  async startAll({ orchestrator, hub, runner, veil }) {
    const { started, refused } = await orchestrator.startAll();
    hub.controlled();
    for (const jobId of started) await runner.goOn(jobId);
    return { started, refused: veil.reasons(refused) };
  },
  stopAll: ({ orchestrator }, { reason }) => orchestrator.stopAll(reason),
  forkJob: ({ orchestrator }, body) =>
    orchestrator.forkJob(idOf(body), given({ afterStep: body.afterStep, context: body.context })),
};

/**
 * Does it, and has pages told of the job: not every store tells what it was asked to change itself.
 *
 * @param {(home: Home, body: Body) => Promise<any>} action
 * @param {Home} home
 * @param {Body} body
 */
export async function perform(action, home, body) {
  const answer = await action(home, body);
  // A text is the id of a job that was made.
  const jobId = typeof answer === 'string' ? answer : body.jobId;
  if (typeof jobId === 'string' && answer?.success !== false) home.hub.note(jobId, null);
  return answer;
}

/** @param {Body} body @returns {string} */
function idOf({ jobId }) {
  if (typeof jobId === 'string') return jobId;
  throw new Wrong(400, 'invalid_argument', 'jobId: expected the id of a job.');
}

/**
 * @template {object} T
 * @param {T} options
 * @returns {T} those that are not undefined
 */
const given = (options) =>
  /** @type {T} */ (Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)));

/**
 * @param {Home} home
 * @param {string} jobId
 * @param {import('jobwright').Outcome} outcome
 */
async function andGoOn({ runner, veil }, jobId, outcome) {
  if (outcome.success) await runner.goOn(jobId);
  return veil.outcome(outcome);
}
