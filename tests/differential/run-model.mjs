// @ts-check
/** Runs the model against its hosts: every answer at once, one operation after the other. */
import { AGENTS, COSTS, modelAgent } from './agents.mjs';

/** @param {any} model @param {import('./hosts.mjs').Hosts} hosts */
export function runModelOn(model, hosts) {
  const callAgent = modelAgent(hosts);

  /** @param {any[]} request */
  function answer([what, ...args]) {
    switch (what) {
      case 'load':
        return hosts.store.getJob(args[0]);
      case 'save':
        return hosts.store.saveJob(args[0]);
      case 'emit':
        return quietly(() => hosts.eventBus.emit(args[0], args[1]));
      case 'monitor':
        return quietly(() => hosts.performanceMonitor.recordJobDuration(args[0], args[1], args[2]));
      case 'canSpend':
        return hosts.budgetManager.canSpend(args[0]);
      case 'askBudget':
        return hosts.budgetManager.canSpend(args[0], args[1]);
      case 'spend':
        return hosts.budgetManager.recordSpend(args[0], args[1]);
      case 'now':
        return hosts.now();
      case 'findAgent':
        return AGENTS.includes(args[0]) ? { metadata: { cost: COSTS[args[0]] } } : null;
      case 'route':
        return hosts.router(args[0]);
      case 'agent':
        return callAgent(args[0], args[1], args[2]);
      case 'sleep':
        return hosts.advance(args[0]);
      case 'look':
        return hosts.jobs.get(args[0]);
      default:
        return undefined;
    }
  }

  /** @param {Generator<any, any, any>} operation @param {any} [request] an answer still owed */
  function proceed(operation, request, untilAgent = false) {
    let turn = request ?? operation.next();
    while (!turn.done) {
      if (untilAgent && turn.value[0] === 'agent') return turn;
      let given;
      let thrown;
      try {
        given = answer(turn.value);
      } catch (error) {
        thrown = { error };
      }
      turn = thrown ? operation.throw(thrown.error) : operation.next(given);
    }
    return turn;
  }

  /** @param {() => any} run */
  function outcome(run) {
    try {
      return { value: run() };
    } catch (error) {
      return { error };
    }
  }

  return {
    /** @param {string} name @param {any[]} args */
    run: (name, args) => outcome(() => proceed(model[name](...args)).value),

    /**
     * Runs an operation up to its first call of an agent.
     * @param {string} name @param {any[]} args
     * @returns {{ ended: any } | { goOn: () => any }}
     */
    begin(name, args) {
      const operation = model[name](...args);
      let turn;
      try {
        turn = proceed(operation, undefined, true);
      } catch (error) {
        return { ended: { error } };
      }
      if (turn.done) return { ended: { value: turn.value } };
      return { goOn: () => outcome(() => proceed(operation, turn).value) };
    },
  };
}

/** @param {() => unknown} run */
function quietly(run) {
  try {
    run();
  } catch {
    // what a bus or a monitor throws never fails an operation
  }
}
