/** The history of a job, and the job at any moment of it. */
import { type Fact, factOf, member, spanOf } from './event';
import { applyFact, type FoldContext, type Write } from './fold';
import { NO_PLAN, type PlanRead, readPlan } from './plan';
import { type Span, Spans } from './spans';
import { copyState, type JobState, keyOf, newState, sizeOf } from './state';

/** How many events there are between two kept states at least. */
const SPACING = 128;

/** Something that an event tells of. */
interface Placed {
  place: number;
}

export interface Spent extends Placed {
  time: number;
  step: string;
  cost: number;
  /** With all before it. */
  total: number;
}

export class History {
  readonly facts: Fact[] = [];
  readonly writes: Write[] = [];
  readonly spent: Spent[] = [];
  readonly #spans = new Spans();
  readonly #places = new Map<string, number>();
  /** Places of the events that are about a step or an item, or were sent by its agent. */
  readonly #byStep = new Map<string, number[]>();
  /** States after so many events; the first is that before any. */
  readonly #kept: JobState[];
  readonly #state: JobState;
  readonly #about: FoldContext;
  #plan: PlanRead;

  constructor(
    readonly jobId: string,
    plan?: unknown,
    /** The job as it is stored, where its history was removed or has none of what came before. */
    base: JobState = newState(),
  ) {
    this.#plan = readPlan(plan);
    this.#state = base;
    this.#kept = [copyState(base)];
    this.#about = { jobId, plan: this.#plan, factAt: (place) => this.facts[place] };
  }

  get length(): number {
    return this.facts.length;
  }

  get plan(): PlanRead {
    return this.#plan;
  }

  /** As it is now; it goes on changing with the history. */
  get now(): JobState {
    return this.#state;
  }

  get spans(): readonly Span[] {
    return this.#spans.all;
  }

  /** The event that says whose event this is: itself, or, where an agent sent it, what caused it. */
  ownerOf(fact: Fact): Fact {
    const isAgents = fact.step === undefined && fact.source !== 'jobwright';
    return (isAgents ? this.facts[fact.cause] : undefined) ?? fact;
  }

  /** Places of the events that are about a step, or an item of one, or were sent by its agent. */
  placesOf(key: string): readonly number[] {
    return this.#byStep.get(key) ?? [];
  }

  spansOf(key: string): readonly Span[] {
    return this.#spans.of(key);
  }

  append(events: Iterable<unknown>): void {
    for (const event of events) this.#add(event);
  }

  #add(event: unknown): void {
    const place = this.facts.length;
    const fact = factOf(event, place, this.facts[place - 1], (span) => this.#places.get(span));
    const span = spanOf(event);
    if (span !== undefined && !this.#places.has(span)) this.#places.set(span, place);
    if (fact.type === 'job_created' && this.#plan === NO_PLAN) {
      this.#plan = readPlan(member(fact.payload, 'plan'));
      this.#about.plan = this.#plan;
    }
    this.facts.push(fact);
    this.#noteStep(fact);
    this.#spans.add(fact);
    const { cost } = this.#state;
    const write = applyFact(this.#state, fact, this.#about);
    if (write !== undefined) this.writes.push(write);
    const total = this.#state.cost;
    if (total !== cost) {
      this.spent.push({ place, time: fact.time, step: fact.step ?? '', cost: total - cost, total });
    }
    this.#keep();
  }

  #noteStep(fact: Fact): void {
    const { step, item } = this.ownerOf(fact);
    if (step === undefined) return;
    const key = keyOf({ step, item });
    const places = this.#byStep.get(key);
    if (places === undefined) this.#byStep.set(key, [fact.place]);
    else places.push(fact.place);
  }

  /** A state is kept every so often; the larger it is, the more seldom, so that all of them together stay in bounds. */
  #keep(): void {
    const last = this.#kept.at(-1) as JobState;
    if (this.#state.position - last.position < Math.max(SPACING, sizeOf(this.#state))) return;
    this.#kept.push(copyState(this.#state));
  }

  /** The job after so many events. The state is the caller's own. */
  at(position: number): JobState {
    const end = Math.min(Math.max(0, Math.trunc(position) || 0), this.facts.length);
    if (end === this.facts.length) return copyState(this.#state);
    const near = lastBefore(this.#kept, end + 1, (state) => state.position);
    const state = copyState(this.#kept[near] as JobState);
    for (let place = state.position; place < end; place++) {
      applyFact(state, this.facts[place] as Fact, this.#about);
    }
    return state;
  }
}

/** The last of an ordered list that lies before a number; -1 where none does. */
export function lastBefore<T>(list: readonly T[], before: number, at: (one: T) => number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(list[middle] as T) < before) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How many of a list, ordered by place, lie before a position. */
export function countBefore(list: readonly Placed[], position: number): number {
  return lastBefore(list, position, ({ place }) => place) + 1;
}
