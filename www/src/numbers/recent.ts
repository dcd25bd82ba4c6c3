/** What is counted of the jobs of a source: how many steps, how long agents take, what fails. */
import type { Job, JobEvent, JobHead } from 'jobwright';
import { type Fact, History } from '../history';
import type { Source } from '../source/source';

/** How many jobs are read that were there before, and how many are followed at a time. */
const MOST_READ = 40;
const MOST_FOLLOWED = 30;
/** How many durations are kept of each agent: the latest. */
const MOST_DURATIONS = 2_000;
/** How far back it is counted second by second. */
export const SECONDS = 600;
const SECOND = 1_000;

export interface AgentNumbers {
  agent: string;
  calls: number;
  failed: number;
  /** The latest, in milliseconds, in no order. */
  durations: number[];
}

/** Steps, items and rounds that ended in one second. */
export interface Second {
  second: number;
  ended: number;
  failed: number;
}

export class Recent {
  readonly agents = new Map<string, AgentNumbers>();
  readonly seconds = new Map<number, Second>();
  readonly jobs = new Set<string>();
  steps = 0;
  failures = 0;
  /** Rises with everything that is counted. */
  version = 0;
  problem = '';
  readonly #histories = new Map<string, { history: History; counted: number; last: number }>();
  readonly #followed = new Set<string>();
  readonly #source: Source;
  readonly #signal: AbortSignal;

  constructor(source: Source, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
    void this.#begin();
  }

  async #begin(): Promise<void> {
    void this.#followChanges();
    try {
      const heads = await this.#source.listJobs();
      for (const { id } of heads.slice(-MOST_READ).reverse()) {
        if (this.#signal.aborted) return;
        await this.#read(id);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#signal.aborted) return;
    this.problem = error instanceof Error ? error.message : String(error);
    this.version += 1;
  }

  async #followChanges(): Promise<void> {
    try {
      for await (const change of this.#source.changes(this.#signal)) {
        if (change.type === 'job') void this.#follow(change.jobId);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #read(jobId: string): Promise<void> {
    const job = await this.#source.getJob(jobId);
    if (job === null || this.#signal.aborted) return;
    this.#take(jobId, Array.isArray(job.history) ? job.history : []);
    if (!hasEnded(job)) void this.#follow(jobId);
  }

  /** Counts what a job does until it has ended. Beyond so many at a time, jobs are not counted. */
  async #follow(jobId: string): Promise<void> {
    if (this.#followed.has(jobId) || this.#followed.size >= MOST_FOLLOWED) return;
    this.#followed.add(jobId);
    try {
      const after = this.#histories.get(jobId)?.last ?? 0;
      const options = { after, signal: this.#signal };
      for await (const event of this.#source.events(jobId, options)) this.#take(jobId, [event]);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#followed.delete(jobId);
      const known = this.#histories.get(jobId);
      // Its events are counted; only where it goes on from has to be known.
      if (known !== undefined) known.history = new History(jobId);
      if (known !== undefined) known.counted = 0;
    }
  }

  #take(jobId: string, events: readonly JobEvent[]): void {
    const known = this.#histories.get(jobId) ?? { history: new History(jobId), counted: 0, last: 0 };
    this.#histories.set(jobId, known);
    this.jobs.add(jobId);
    const fresh = events.filter((event) => typeof event?.seq !== 'number' || event.seq > known.last);
    known.history.append(fresh);
    known.last = known.history.facts.at(-1)?.seq ?? known.last;
    for (const fact of known.history.facts.slice(known.counted)) this.#count(known.history, fact);
    known.counted = known.history.length;
    this.version += 1;
  }

  #count(history: History, fact: Fact): void {
    const ended = ENDED.has(fact.type);
    const failed = fact.type === 'step_failed' || fact.type === 'item_failed';
    if (!ended && !failed) return;
    const second = this.#secondOf(fact.time);
    this.steps += Number(ended);
    this.failures += Number(failed);
    second.ended += Number(ended);
    second.failed += Number(failed);
    // What was cancelled, skipped or never begun says nothing of an agent.
    const span = history.spansOf(keyOf(fact)).findLast(({ to }) => to === fact.place);
    if (fact.agent === undefined || span?.kind !== 'working' || fact.error?.code === 'cancelled') return;
    const agent = this.#agentOf(fact.agent);
    agent.calls += 1;
    agent.failed += Number(failed);
    agent.durations[(agent.calls - 1) % MOST_DURATIONS] = span.end - span.begin;
  }

  #agentOf(name: string): AgentNumbers {
    const known = this.agents.get(name) ?? { agent: name, calls: 0, failed: 0, durations: [] };
    this.agents.set(name, known);
    return known;
  }

  #secondOf(time: number): Second {
    const second = Math.floor(time / SECOND);
    const known = this.seconds.get(second) ?? { second, ended: 0, failed: 0 };
    this.seconds.set(second, known);
    if (this.seconds.size > 4 * SECONDS) this.#forgetOld(second);
    return known;
  }

  #forgetOld(now: number): void {
    for (const second of this.seconds.keys()) if (second < now - SECONDS) this.seconds.delete(second);
  }
}

const ENDED = new Set(['step_completed', 'item_completed', 'round_completed']);

const keyOf = ({ step = '', item }: Fact) => (item === undefined ? step : `${step}[${item}]`);

const hasEnded = ({ status }: Job | JobHead) => status === 'completed' || status === 'failed';

/** The value below which so large a part of all lies. */
export function percentile(sorted: readonly number[], part: number): number | undefined {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}
