/** Who did what from when to when, as far as the history tells. */
import { type Fact, STEP_EVENTS } from './event';
import { keyOf } from './state';

export type SpanKind = 'working' | 'items' | 'retry' | 'approval' | 'signal' | 'round' | 'child' | 'paused';

/** Kinds in which nobody works. */
export const WAITING_KINDS: ReadonlySet<SpanKind> = new Set([
  'retry',
  'approval',
  'signal',
  'round',
  'child',
  'paused',
]);

export interface Span {
  /** A step, an item of one as `step[item]`, or nothing for the job itself. */
  key: string;
  step: string | undefined;
  item: number | undefined;
  agent: string | undefined;
  kind: SpanKind;
  attempt: number | undefined;
  round: number | undefined;
  /** The place of the event that it begins with, and the time. */
  from: number;
  begin: number;
  /** The same of its end; infinite while there is none. */
  to: number;
  end: number;
  /** How it ended. */
  outcome: 'done' | 'failed' | 'other';
}

/** Spans in the order in which they began. */
export class Spans {
  readonly all: Span[] = [];
  readonly #byKey = new Map<string, Span[]>();
  readonly #open = new Map<string, Span>();

  of(key: string): readonly Span[] {
    return this.#byKey.get(key) ?? [];
  }

  add(fact: Fact): void {
    const { type } = fact;
    if (type === 'job_paused') this.#begin('', 'paused', fact);
    else if (type === 'job_started') this.#end('', fact);
    else if (type === 'job_completed' || type === 'job_failed' || type === 'job_forked') this.#endAll(fact);
    else if (STEP_EVENTS.has(type) && fact.step !== undefined) this.#addStep(fact, fact.step);
  }

  #addStep(fact: Fact, step: string): void {
    const key = keyOf({ step, item: fact.item });
    const kind = kindOf(fact);
    if (kind === undefined || this.#open.get(key)?.kind !== kind) this.#end(key, fact);
    if (kind !== undefined) this.#begin(key, kind, fact);
  }

  #begin(key: string, kind: SpanKind, fact: Fact): void {
    const { attempt, round, agent } = fact;
    if (this.#open.has(key)) return;
    const [step, item] = key === '' ? [undefined, undefined] : [fact.step, fact.item];
    const span: Span = {
      ...{ key, step, item, agent, kind, attempt, round },
      ...{ from: fact.place, begin: fact.time },
      ...{ to: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY, outcome: 'other' },
    };
    this.#open.set(key, span);
    this.all.push(span);
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, [span]);
    else known.push(span);
  }

  #end(key: string, fact: Fact): void {
    const span = this.#open.get(key);
    if (span === undefined) return;
    this.#open.delete(key);
    span.to = fact.place;
    span.end = Math.max(fact.time, span.begin);
    span.outcome = outcomeOf(fact.type);
  }

  #endAll(fact: Fact): void {
    for (const key of [...this.#open.keys()]) this.#end(key, fact);
  }
}

function outcomeOf(type: string): Span['outcome'] {
  if (type === 'step_completed' || type === 'item_completed' || type === 'round_completed') return 'done';
  return type === 'step_failed' || type === 'item_failed' ? 'failed' : 'other';
}

function kindOf({ type, status, payload }: Fact): SpanKind | undefined {
  if (type === 'approval_requested') return 'approval';
  if (type === 'step_suspended') return 'child';
  if (status === 'running') return Array.isArray(payload.items) ? 'items' : 'working';
  if (status !== 'waiting') return undefined;
  if (type === 'round_completed') return 'round';
  if (type === 'step_failed' || type === 'item_failed') return 'retry';
  // One that was answered and still waits is asked about something else.
  return type === 'step_approved' || type === 'step_rejected' ? 'approval' : 'signal';
}
