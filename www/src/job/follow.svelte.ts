/** A job as it is followed: read once, then its events as they come. */
import type { JobEvent, JobHead } from 'jobwright';
import { type History, historyOf } from '../history';
import type { Source } from '../source/source';

/** How long to wait before a stream that ended too early is opened again. */
const AGAIN_MS = 1_000;

export class FollowedJob {
  history = $state.raw<History | null>(null);
  /** Rises whenever the history has grown. */
  version = $state(0);
  head = $state.raw<JobHead | null>(null);
  /** The sentence that says what went wrong. */
  problem = $state<string | null>(null);
  isMissing = $state(false);
  #waiting: JobEvent[] = [];
  #last = 0;
  #told: () => void = () => {};
  #isScheduled = false;
  #reading: Promise<void> | null = null;
  #readAgain = false;
  readonly #source: Source;
  readonly #jobId: string;
  readonly #signal: AbortSignal;

  constructor(source: Source, jobId: string, signal: AbortSignal) {
    this.#source = source;
    this.#jobId = jobId;
    this.#signal = signal;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    // What may not be there yet, or can't be read now, is looked for again when something is heard of it.
    void this.#followChanges();
    for (;;) {
      const told = this.#nextChange();
      try {
        if (await this.#read()) break;
      } catch (error) {
        this.#fail(error);
      }
      await told;
      if (this.#signal.aborted) return;
    }
    await this.#followEvents().catch((error) => this.#fail(error));
  }

  /** Is the job there? */
  async #read(): Promise<boolean> {
    const job = await this.#source.getJob(this.#jobId);
    if (this.#signal.aborted) return false;
    this.isMissing = job === null;
    this.problem = null;
    if (job === null) return false;
    const { context, history, run, ...head } = job;
    const { plan, steps, ...rest } = run ?? {};
    this.head = (run === undefined ? head : { ...head, run: rest }) as JobHead;
    this.history = historyOf(job);
    this.#last = lastSeq(this.history, run?.seq);
    return true;
  }

  /** Resolves when something is heard of the job, or the signal aborts. */
  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#told = resolve;
      this.#signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #fail(error: unknown): void {
    if (!this.#signal.aborted) this.problem = error instanceof Error ? error.message : String(error);
  }

  async #followEvents(): Promise<void> {
    for (;;) {
      const options = { after: this.#last, signal: this.#signal };
      for await (const event of this.#source.events(this.#jobId, options)) this.#take(event);
      if (this.#signal.aborted) return;
      await this.#readHead();
      const { status } = this.head ?? {};
      if (this.#source.home === 'file' || status === 'completed' || status === 'failed') return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      if (this.#signal.aborted) return;
    }
  }

  #take(event: JobEvent): void {
    // After a stream was opened again, what was known may come once more.
    const seq: unknown = event?.seq;
    if (typeof seq === 'number') {
      if (seq <= this.#last) return;
      this.#last = seq;
    }
    this.#waiting.push(event);
    this.#schedule();
  }

  /** What comes within one frame is shown together; a page that nobody sees has no frames. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const flush = () => {
      this.#isScheduled = false;
      this.#flush();
    };
    if (document.hidden) setTimeout(flush, 250);
    else requestAnimationFrame(flush);
  }

  #flush(): void {
    if (this.#signal.aborted) return;
    this.history?.append(this.#waiting);
    this.#waiting = [];
    this.version += 1;
    void this.#readHead();
  }

  async #followChanges(): Promise<void> {
    try {
      for await (const change of this.#source.changes(this.#signal)) {
        const isOwn = change.type === 'missed' || (change.type === 'job' && change.jobId === this.#jobId);
        if (!isOwn) continue;
        this.#told();
        if (this.history !== null) void this.#readHead();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Reads the head, and once more where it was asked for meanwhile. */
  #readHead(): Promise<void> {
    if (this.#reading !== null) {
      this.#readAgain = true;
      return this.#reading;
    }
    this.#reading = this.#readHeads().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readHeads(): Promise<void> {
    do {
      this.#readAgain = false;
      try {
        const head = await this.#source.getHead(this.#jobId);
        if (this.#signal.aborted) return;
        if (head !== null) this.head = head;
        this.problem = null;
      } catch (error) {
        this.#fail(error);
      }
    } while (this.#readAgain && !this.#signal.aborted);
  }
}

function lastSeq(history: History, stored: number | undefined): number {
  const last = history.facts.at(-1)?.seq;
  return last ?? (Number.isSafeInteger(stored) ? (stored as number) : 0);
}
