// @ts-check
import { JobwrightError, NonRetryableError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { AgentContext } from './agent-context.js';
import { agentNamed } from './agents.js';
import { DONE, fail, succeed } from './answer.js';
import { LATER, promiseOf, settle } from './executor.js';
import { reset } from './numbers.js';
import { codeAt, placeOf } from './outcome.js';
import { outputOf } from './record.js';
import { checkSchema } from './schema.js';
import { slotOf } from './slots.js';
import { keyOf } from './step-at.js';

const NEEDS_APPROVAL = 2;

// What the core says of the input.
const OUTPUTS = 1;
const FROM_ROUTER = 2;
const UNCOMPUTABLE = 3;
const FROM_CALLER = 4;
const ITEM = 5;
const OUTPUT = 6;

/** @type {any[]} */
const NONE = [];

const NO_ERROR = Object.freeze({ code: 'agent_failed', message: '', retryAfter: Number.NaN });

/** @type {(Attempt | undefined)[]} */
const attempts = [];
/** @type {number[]} */
const free = [];

export const resetAttempts = () => reset(attempts, free);

/** One call of an agent. */
export class Attempt {
  /**
   * @param {import('./slots.js').JobSlot} slot
   * @param {number} place
   * @param {number} number
   */
  constructor(slot, place, number) {
    this.slot = slot;
    this.engine = slot.engine;
    this.place = place;
    this.number = number;
    this.step = slot.stepAt(place);
    this.stateId = slot.stateIdAt(place);
    /** The round it is of, where the step is repeated. */
    this.round = slot.roundOf(this.step) + 1;
    this.record = slot.whole;
    /** @type {unknown} */
    this.input = undefined;
    /** @type {string | null} why there is no input */
    this.problem = null;
    /** @type {number | null} the core's call that waits for this attempt */
    this.call = null;
    this.ended = false;
    /** The core gave it up: what it still answers comes too late. */
    this.givenUp = false;
    /** @type {AbortController | null} made when the signal is first read */
    this.controller = null;
    /** @type {Error | null} why it was aborted */
    this.aborted = null;
    /** @type {{ tool: string, args: unknown, agent: string }[]} */
    this.requests = NONE;
    /** @type {any[]} approved tool calls of this step that were not made yet */
    this.grants = grantsOf(this.state);
    /** @type {unknown} */
    this.output = undefined;
    /** @type {number} */
    this.cost = Number.NaN;
    /** @type {{ code: string, message: string, retryAfter: number }} */
    this.error = NO_ERROR;
  }

  get state() {
    return this.record.run?.steps?.[this.stateId];
  }

  get idempotencyKey() {
    return keyOf(this.slot.id, this.step, this.round);
  }

  get signal() {
    this.controller ??= new AbortController();
    if (this.aborted !== null) this.controller.abort(this.aborted);
    return this.controller.signal;
  }

  /** @param {Error} why */
  abort(why) {
    this.aborted = why;
    this.controller?.abort(why);
  }

  /**
   * A tool call waits for a person: the attempt ends here, and is made again when the person has approved.
   *
   * @param {string} tool
   * @param {unknown} args
   * @param {JobwrightError} error
   */
  requestApproval(tool, args, error) {
    this.requests = [...this.requests, { tool, args, agent: this.step.agent }];
    if (this.requests.length > 1 || this.ended) return;
    // Calls that the agent makes in the same breath are asked about together.
    queueMicrotask(() => {
      if (this.ended) return;
      this.slot.requests.set(this.place, this.requests);
      this.end(NEEDS_APPROVAL + this.requests.length);
      this.abort(error);
    });
  }

  /**
   * Tells the core how the attempt ended, if it still wants to know.
   *
   * @param {number} code
   */
  end(code) {
    if (this.ended) return code;
    this.ended = true;
    const { call, engine } = this;
    this.call = null;
    if (call !== null) settle(engine, call, code);
    return code;
  }
}

/** @param {any} state of a step, as a store gave it */
function grantsOf(state) {
  return Array.isArray(state?.grants) ? [...state.grants] : NONE;
}

/**
 * @param {number} job
 * @param {number} place
 * @param {number} number
 * @param {number} kind
 * @param {number} before the place of the step before, where there is one
 * @param {unknown} given
 */
export function attempt_prepare(job, place, number, kind, before, given) {
  const slot = slotOf(job);
  const attempt = new Attempt(slot, place, number);
  const key = free.pop() ?? attempts.length;
  attempts[key] = attempt;
  try {
    const input = kind === OUTPUT ? outputOf(slot, before) : inputOf(attempt, kind, given);
    attempt.input = copyOf(attempt, input);
  } catch (error) {
    attempt.problem = /** @type {Error} */ (error).message;
  }
  return key;
}

/**
 * @param {Attempt} attempt
 * @param {unknown} input
 */
function copyOf({ step }, input) {
  return plainCopy(input, () => `input of step ${describe(step.id)}`);
}

/**
 * @param {Attempt} attempt
 * @param {number} kind
 * @param {any} given
 */
function inputOf(attempt, kind, given) {
  const { slot, place, step, state } = attempt;
  switch (kind) {
    case UNCOMPUTABLE:
      throw new Error(`The input of step ${describe(step.id)} can't be computed: ${given}`);
    case FROM_CALLER:
      return state.input;
    case FROM_ROUTER:
      if (state.routed !== undefined && 'input' in state.routed) return state.routed.input;
      if ('input' in state) return state.input;
      return place === 0 ? null : outputOf(slot, place - 1);
    case ITEM:
      return slot.itemAt(place);
    case OUTPUTS:
      return outputsOf(slot, given);
    default:
      return given;
  }
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {number[]} places the steps before
 */
function outputsOf(slot, places) {
  return Object.fromEntries(places.map((place) => [slot.stepAt(place).id, outputOf(slot, place)]));
}

/**
 * @param {number} key
 * @param {number} call
 */
export function attempt_run(key, call) {
  const attempt = /** @type {Attempt} */ (attempts[key]);
  try {
    const result = callAgent(attempt);
    const promise = promiseOf(result);
    const code = promise === null ? answered(attempt, result) : whenAnswered(attempt, promise);
    if (typeof code === 'number') return attempt.end(code);
    endLater(attempt, code);
  } catch (error) {
    return attempt.end(failed(attempt, error));
  }
  attempt.call = call;
  attempt.engine.watch.begin(attempt);
  return LATER;
}

/**
 * @param {Attempt} attempt
 * @param {unknown} result
 */
const answered = (attempt, result) => (attempt.ended ? tooLate(attempt) : succeed(attempt, result));

/**
 * @param {Attempt} attempt
 * @param {unknown} error
 */
const failed = (attempt, error) => (attempt.ended ? DONE : fail(attempt, error));

// Apart from the above, which makes nothing where the agent answered at once.
/**
 * @param {Attempt} attempt
 * @param {Promise<unknown>} promise
 */
function whenAnswered(attempt, promise) {
  return promise.then(
    (result) => answered(attempt, result),
    (error) => failed(attempt, error),
  );
}

/**
 * @param {Attempt} attempt
 * @param {Promise<number>} code
 */
function endLater(attempt, code) {
  code.then((late) => attempt.end(late));
}

/** @param {Attempt} attempt */
function callAgent(attempt) {
  if (attempt.problem !== null) throw new NonRetryableError(attempt.problem);
  const agent = agentNamed(attempt.engine, attempt.step.agent);
  if (agent === undefined) throw new Error(`Agent ${describe(attempt.step.agent)} is gone`);
  const context = new AgentContext(attempt);
  const schema = agent.metadata?.inputSchema;
  return schema === undefined
    ? callWith(agent, attempt.input, context)
    : callChecked(agent, schema, attempt, context);
}

/**
 * @param {any} agent
 * @param {unknown} input
 * @param {AgentContext} context
 */
function callWith(agent, input, context) {
  return typeof agent === 'function' ? agent(input, context) : agent.execute(input, context);
}

/**
 * @param {any} agent
 * @param {unknown} schema
 * @param {Attempt} attempt
 * @param {AgentContext} context
 */
function callChecked(agent, schema, attempt, context) {
  const run = (/** @type {unknown} */ input) => callWith(agent, input, context);
  const refused = (/** @type {string} */ problem) =>
    new NonRetryableError(
      `The input does not fit the schema of agent ${describe(attempt.step.agent)}: ${problem}`,
    );
  const checked = checkSchema(schema, attempt.input, refused);
  return promiseOf(checked)?.then(run) ?? run(checked);
}

/**
 * An answer to an attempt that was given up is not used, and noted as late.
 *
 * @param {Attempt} attempt
 */
function tooLate(attempt) {
  if (attempt.givenUp) attempt.engine.noteLate(attempt);
  return DONE;
}

/** @param {number} key */
function attemptAt(key) {
  return /** @type {Attempt} */ (attempts[key]);
}

/** @param {number} key */
export function attempt_take(key) {
  const { output } = attemptAt(key);
  attempt_forget(key);
  return output;
}

/** @param {number} key */
export function attempt_cost(key) {
  return attemptAt(key).cost;
}

/** @param {number} key */
export function attempt_error_code(key) {
  return placeOf(attemptAt(key).error.code);
}

/** @param {number} key */
export function attempt_error(key) {
  return attemptAt(key).error.message;
}

/** @param {number} key */
export function attempt_retry_after(key) {
  return attemptAt(key).error.retryAfter;
}

/**
 * @param {number} key
 * @param {number} code
 */
export function attempt_abort(key, code) {
  const attempt = attemptAt(key);
  const { name, sentence } = codeAt(code);
  // Of a job that is run elsewhere now, nothing is noted here.
  attempt.givenUp = attempt.slot.lease === null || attempt.slot.lease >= 0;
  attempt.ended = true;
  attempt.abort(new JobwrightError(sentence, { code: name }));
}

/** @param {number} key */
export function attempt_forget(key) {
  const attempt = attemptAt(key);
  // An agent that was given up may never answer, and its answer would be told to nobody.
  if (attempt.call !== null) settle(attempt.engine, attempt.call, DONE);
  attempt.call = null;
  attempt.engine.watch?.end(attempt);
  attempts[key] = undefined;
  free.push(key);
}
