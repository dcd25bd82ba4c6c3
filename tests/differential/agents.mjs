// @ts-check
/** What an agent does when it is called, as the script says it: the same for the engine and for the model. */

/** @typedef {{ kind: string, value?: any, cost?: number, tool?: string, error?: any, hold?: boolean }} Turn */

export const AGENTS = ['reader', 'writer', 'judge'];
export const COSTS = /** @type {Record<string, number | undefined>} */ ({ writer: 3 });

/** @type {Turn} */
const NOTHING_SPECIAL = { kind: 'plain', value: 'done' };

/** What an agent of the model's world gives. @param {import('./hosts.mjs').Hosts} hosts */
export function modelAgent(hosts) {
  return (/** @type {string} */ name, /** @type {any} */ input, /** @type {any} */ context) => {
    hosts.noteAgent(name, input, context);
    const turn = hosts.scriptOf(context.jobId).agent.shift() ?? NOTHING_SPECIAL;
    switch (turn.kind) {
      case 'plain':
        return { ok: true, output: turn.value };
      case 'data':
        return { ok: true, output: turn.value, cost: turn.cost };
      case 'tool':
        return { ok: true, output: whatTheToolGave(() => context.callTool(turn.tool)) };
      default:
        return { ok: false, retryable: turn.error?.retryable !== false };
    }
  };
}

/** @param {() => unknown} call */
function whatTheToolGave(call) {
  try {
    return call();
  } catch (error) {
    return { refused: /** @type {any} */ (error).code };
  }
}

/**
 * The agents for a real orchestrator: functions and objects with `execute`, late as `later` says.
 * @param {import('./hosts.mjs').Hosts} hosts
 * @param {(run: () => any) => any} later runs it now, or gives a promise of it
 * @param {(jobId: string) => Promise<void>} held resolves when an agent that is held may go on
 */
export function realAgents(hosts, later, held) {
  /** @type {Map<string, string>} */
  const keys = new Map();

  /** @param {any} context */
  function checkKey({ jobId, step, idempotencyKey }) {
    const of = `${jobId} ${step}`;
    const known = keys.get(idempotencyKey);
    if (known !== undefined && known !== of) throw new Error(`one idempotency key for ${known} and ${of}`);
    if (known === undefined && [...keys.values()].includes(of))
      throw new Error(`two idempotency keys for ${of}`);
    keys.set(idempotencyKey, of);
  }

  /** @param {Turn} turn @param {any} context */
  function play(turn, context) {
    switch (turn.kind) {
      case 'plain':
        return turn.value;
      case 'data':
        return { success: true, data: turn.value, ...(turn.cost !== undefined && { cost: turn.cost }) };
      case 'tool':
        return context.callTool(turn.tool).catch((/** @type {any} */ error) => ({ refused: error.code }));
      case 'failed':
        return { success: false, error: turn.error };
      default:
        throw turn.error;
    }
  }

  /** @param {string} name */
  const agent = (name) => (/** @type {any} */ input, /** @type {any} */ context) => {
    hosts.noteAgent(name, input, context);
    checkKey(context);
    const turn = hosts.scriptOf(context.jobId).agent.shift() ?? NOTHING_SPECIAL;
    if (turn.hold) return held(context.jobId).then(() => play(turn, context));
    return later(() => play(turn, context));
  };

  return {
    reader: agent('reader'),
    writer: { metadata: { name: 'writer', cost: COSTS.writer }, execute: agent('writer') },
    judge: { execute: agent('judge') },
  };
}
