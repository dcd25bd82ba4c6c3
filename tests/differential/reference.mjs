// @ts-check
/**
 * The model as an orchestrator of its own: its generators over real dependencies, each answer awaited. The
 * comparison is run on it too, whole and with one rule broken, to see that it passes the one and notices the other.
 */
import { createModel, RULES } from './model.mjs';

/** @param {any} deps @param {any} [rules] */
export function createReference(deps, rules = RULES) {
  const model = /** @type {any} */ (createModel(rules));
  /** @type {Map<string, Promise<void>>} */
  const last = new Map();

  /** @param {any} locks @param {string} id */
  async function lock(locks, id) {
    const before = rules.noLocks ? undefined : last.get(id);
    /** @type {() => void} */
    let release = () => {};
    const mine = new Promise((resolve) => {
      release = () => resolve(undefined);
    });
    last.set(id, before ? before.then(() => mine) : mine);
    locks.set(id, release);
    await before;
  }

  /** @param {any} locks @param {any[]} request @returns {any} */
  function answer(locks, [what, ...args]) {
    switch (what) {
      case 'lock':
        return lock(locks, args[0]);
      case 'unlock':
        return locks.get(args[0])();
      case 'load':
        return deps.store.getJob(args[0]);
      case 'look':
        return deps.look(args[0]);
      case 'save':
        return deps.store.saveJob(args[0]);
      case 'emit':
        return quietly(() => deps.eventBus.emit(args[0], args[1], ...(rules.moreArguments ?? [])));
      case 'monitor':
        return quietly(() => deps.performanceMonitor.recordJobDuration(args[0], args[1], args[2]));
      case 'canSpend':
        return deps.budgetManager.canSpend(args[0]);
      case 'askBudget':
        return deps.budgetManager.canSpend(args[0], args[1]);
      case 'spend':
        return deps.budgetManager.recordSpend(args[0], args[1]);
      case 'now':
        return deps.clock.now();
      case 'findAgent': {
        const agent = deps.agentRegistry[args[0]];
        return typeof agent === 'function' ? { metadata: {} } : agent;
      }
      case 'route':
        return deps.router(args[0], args[1]);
      case 'agent':
        return call(deps.agentRegistry[args[0]], args[1], args[2]);
      case 'sleep':
        return deps.clock.sleep(args[0]);
      default:
        return undefined;
    }
  }

  /** @param {any[]} args @param {string} name */
  async function run(name, args) {
    const locks = new Map();
    const operation = model[name](...args);
    let turn = operation.next();
    while (!turn.done) {
      let given;
      let thrown;
      try {
        given = await answer(locks, turn.value);
      } catch (error) {
        thrown = { error };
      }
      turn = thrown ? operation.throw(thrown.error) : operation.next(given);
    }
    if (turn.value?.rejects) throw Object.assign(new Error(turn.value.rejects), { code: turn.value.rejects });
    return turn.value;
  }

  /** @param {any} context @param {any} permissions @param {any} options */
  const createJob = (context, permissions, options) => run('createJob', [context, permissions, options]);
  const rest = Object.fromEntries(
    Object.keys(model)
      .filter((name) => name !== 'createJob')
      .map((name) => [name, (/** @type {any[]} */ ...args) => run(name, args)]),
  );
  return { ...rest, createJob, close: async () => {} };
}

/** @param {any} agent @param {any} input @param {any} context */
async function call(agent, input, context) {
  const execute = typeof agent === 'function' ? agent : agent.execute;
  const whole = {
    ...context,
    idempotencyKey: `${context.jobId}/${context.step}`,
    callTool: async (/** @type {string} */ name) => context.callTool(name),
  };
  try {
    const given = await execute(input, whole);
    if (given?.success === true && 'data' in given) return { ok: true, output: given.data, cost: given.cost };
    if (given?.success === false) return { ok: false, retryable: given.error?.retryable !== false };
    return { ok: true, output: given };
  } catch (error) {
    return { ok: false, retryable: /** @type {any} */ (error)?.retryable !== false };
  }
}

/** @param {() => unknown} run */
function quietly(run) {
  try {
    Promise.resolve(run()).catch(() => {});
  } catch {
    // what a bus or a monitor throws never fails an operation
  }
}
