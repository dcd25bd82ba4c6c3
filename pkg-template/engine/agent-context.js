// @ts-check
import { spanIdOf } from '../parts/noted-event.js';
import { describe, plainCopy } from '../parts/plain.js';
import { invalidArgument } from './arguments.js';
import { ENGINE_EVENTS } from './names.js';
import { readOnly } from './read-only.js';
import { permissionsOf } from './record.js';
import { callTool } from './tools.js';

/**
 * What an agent is called with. Parts that cost something are made when they are first read, so every
 * one of them is a getter; what they give works destructured.
 */
export class AgentContext {
  #attempt;

  /** @param {import('./attempt.js').Attempt} attempt */
  constructor(attempt) {
    this.#attempt = attempt;
  }

  get jobId() {
    return this.#attempt.slot.id;
  }

  get step() {
    return this.#attempt.step.id;
  }

  get item() {
    return this.#attempt.step.item;
  }

  get attempt() {
    return this.#attempt.number;
  }

  get idempotencyKey() {
    return this.#attempt.idempotencyKey;
  }

  get context() {
    return readOnly(this.#attempt.record.context);
  }

  get permissions() {
    return Object.freeze(permissionsOf(this.#attempt.record));
  }

  get signal() {
    return this.#attempt.signal;
  }

  get trace() {
    const { slot, state } = this.#attempt;
    const spanId = spanIdOf(slot.traceId, state?.seq ?? 0);
    return { traceId: slot.traceId, spanId };
  }

  get callTool() {
    const attempt = this.#attempt;
    return (/** @type {string} */ name, /** @type {unknown} */ args) => callTool(attempt, this, name, args);
  }

  get emit() {
    const attempt = this.#attempt;
    return (/** @type {string} */ type, /** @type {unknown} */ payload) => emit(attempt, type, payload);
  }
}

/**
 * @param {import('./attempt.js').Attempt} attempt
 * @param {string} type
 * @param {unknown} payload
 */
function emit(attempt, type, payload) {
  if (typeof type !== 'string' || type === '')
    throw invalidArgument(`An event's type must be a name; found ${describe(type)}`);
  if (ENGINE_EVENTS.has(type))
    throw invalidArgument(`Only the engine emits ${describe(type)}; choose another type`);
  const copy = plainCopy(payload, 'payload');
  if (attempt.ended) return;
  attempt.engine.record(attempt, { type, payload: copy, source: attempt.step.agent });
}
