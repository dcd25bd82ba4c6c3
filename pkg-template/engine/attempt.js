// @ts-check
import { JobwrightError, NonRetryableError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { AgentContext } from './agent-context.js';
import { agentNamed } from './agents.js';
import { LATER, promiseOf, settle } from './executor.js';
import { reset } from './numbers.js';
import { codeAt, placeOf } from './outcome.js';
import { outputOf } from './record.js';
import { checkSchema } from './schema.js';
import { keyOf, slotOf } from './slots.js';

const DONE = 0;
const FAILED = 1;
const NEEDS_APPROVAL = 2;

// What the core says of the input.
const OUTPUTS = 1;
const FROM_ROUTER = 2;
const UNCOMPUTABLE = 3;
const FROM_CALLER = 4;
const ITEM = 5;

/** An output that its schema refuses. */
class SchemaError extends Error {}

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
 * @param {unknown} given
 */
export function attempt_prepare(job, place, number, kind, given) {
  const slot = slotOf(job);
  const attempt = new Attempt(slot, place, number);
  const key = free.pop() ?? attempts.length;
  attempts[key] = attempt;
  try {
    const input = inputOf(attempt, kind, given);
    const path = () => `input of step ${describe(attempt.step.id)}`;
    attempt.input = plainCopy(input, path);
  } catch (error) {
    attempt.problem = /** @type {Error} */ (error).message;
  }
  return key;
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
 * @param {null | number | number[]} places the steps before
 */
function outputsOf(slot, places) {
  if (places === null) return null;
  if (typeof places === 'number') return outputOf(slot, places);
  return Object.fromEntries(places.map((place) => [slot.stepAt(place).id, outputOf(slot, place)]));
}

/**
 * @param {number} key
 * @param {number} call
 */
export function attempt_run(key, call) {
  const attempt = /** @type {Attempt} */ (attempts[key]);
  const failed = (/** @type {unknown} */ error) => (attempt.ended ? DONE : fail(attempt, error));
  const answered = (/** @type {unknown} */ result) =>
    attempt.ended ? tooLate(attempt) : succeed(attempt, result);
  try {
    const result = callAgent(attempt);
    const promise = promiseOf(result);
    const code = promise === null ? answered(result) : promise.then(answered, failed);
    if (typeof code === 'number') return attempt.end(code);
    code.then((late) => attempt.end(late));
  } catch (error) {
    return attempt.end(/** @type {number} */ (failed(error)));
  }
  attempt.call = call;
  attempt.engine.watch.begin(attempt);
  return LATER;
}

/** @param {Attempt} attempt */
function callAgent(attempt) {
  if (attempt.problem !== null) throw new NonRetryableError(attempt.problem);
  const agent = agentNamed(attempt.engine, attempt.step.agent);
  if (agent === undefined) throw new Error(`Agent ${describe(attempt.step.agent)} is gone`);
  const context = new AgentContext(attempt);
  const run = (/** @type {unknown} */ input) =>
    typeof agent === 'function' ? agent(input, context) : agent.execute(input, context);
  const schema = agent.metadata?.inputSchema;
  if (schema === undefined) return run(attempt.input);
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

/**
 * @param {Attempt} attempt
 * @param {any} result
 * @returns {number | Promise<number>}
 */
function succeed(attempt, result) {
  try {
    if (result !== null && typeof result === 'object') {
      if (result.success === false && 'error' in result) {
        takeCost(attempt, result.cost);
        return fail(attempt, result.error);
      }
      if (result.success === true && 'data' in result) {
        takeCost(attempt, result.cost);
        return accept(attempt, result.data);
      }
    }
    return accept(attempt, result);
  } catch (error) {
    return unusable(attempt, error);
  }
}

/**
 * @param {Attempt} attempt
 * @param {unknown} cost
 */
function takeCost(attempt, cost) {
  if (cost === undefined) return;
  if (typeof cost !== 'number' || !(cost >= 0 && cost < Infinity)) {
    throw new TypeError(`cost must be a number of at least 0; found ${describe(cost)}`);
  }
  attempt.cost = cost;
}

/**
 * @param {Attempt} attempt
 * @param {unknown} output
 */
function accept(attempt, output) {
  const schema = agentNamed(attempt.engine, attempt.step.agent)?.metadata?.outputSchema;
  const keep = (/** @type {unknown} */ checked) => {
    attempt.output = plainCopy(checked, 'output') ?? null;
    return DONE;
  };
  if (schema === undefined) return keep(output);
  const refused = (/** @type {string} */ problem) =>
    new SchemaError(`The output does not fit its schema: ${problem}`);
  const checked = checkSchema(schema, output, refused);
  const promise = promiseOf(checked);
  return promise === null
    ? keep(checked)
    : promise.then(keep).then(undefined, (error) => unusable(attempt, error));
}

/**
 * @param {Attempt} attempt
 * @param {unknown} error why the output can't be used
 */
function unusable(attempt, error) {
  const message = messageOf(error);
  const known = error instanceof JobwrightError || error instanceof TypeError || error instanceof SchemaError;
  attempt.error = {
    code: 'invalid_output',
    message: known ? message : `The output can't be read: ${message}`,
    retryAfter: Number.NaN,
  };
  return FAILED;
}

/**
 * @param {Attempt} attempt
 * @param {any} error
 */
function fail(attempt, error) {
  const message = messageOf(error) || `Agent ${describe(attempt.step.agent)} failed without saying why`;
  attempt.error = { code: 'agent_failed', message, retryAfter: waitOf(error) };
  return FAILED;
}

/**
 * How long to wait before another attempt: -1 where none can help, NaN where the error doesn't say.
 *
 * @param {any} error
 */
function waitOf(error) {
  try {
    if (error instanceof NonRetryableError || error?.retryable === false) return -1;
    const wait = error?.retryAfter;
    return typeof wait === 'number' && wait >= 0 && wait < Infinity ? wait : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/**
 * What an error says, whatever was thrown.
 *
 * @param {any} error
 * @returns {string}
 */
function messageOf(error) {
  try {
    if (typeof error === 'string') return error;
    if (typeof error?.message === 'string') return error.message;
    return describe(error);
  } catch {
    return 'an error that could not be read';
  }
}

/** @param {number} key */
function attemptAt(key) {
  return /** @type {Attempt} */ (attempts[key]);
}

/** @param {number} key */
export function attempt_output(key) {
  return attemptAt(key).output;
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
