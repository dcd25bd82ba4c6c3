/** The child jobs of a job, as they come and go. */
import type { JobHead } from 'jobwright';
import { historyOf } from '../history';
import type { Source } from '../source/source';

/** Of so many children the accounts are asked for. */
const MOST_ACCOUNTS = 2_000;
/** So many are read whole, where nobody keeps an account of theirs. */
const MOST_READ = 1_000;
/** How many questions are under way at a time. */
const AT_ONCE = 6;

export class FollowedChildren {
  /** In order of creation. */
  heads = $state.raw<readonly JobHead[]>([]);
  /** What each has spent, as far as it is known. */
  costs = $state.raw<ReadonlyMap<string, number>>(new Map());
  isRead = $state(false);
  problem = $state('');
  readonly #known = new Map<string, JobHead>();
  readonly #spent = new Map<string, number>();
  /** Of whom the head, the account are to be asked for. */
  readonly #stale = new Set<string>();
  readonly #unpaid = new Set<string>();
  #isAsking = false;
  readonly #source: Source;
  readonly #jobId: string;
  readonly #signal: AbortSignal;
  readonly #withCosts: boolean;

  constructor(source: Source, jobId: string, signal: AbortSignal, withCosts = true) {
    this.#withCosts = withCosts;
    this.#source = source;
    this.#jobId = jobId;
    this.#signal = signal;
    void this.#follow();
    void this.#readAll();
  }

  async #readAll(): Promise<void> {
    try {
      const heads = await this.#source.listJobs({ parentId: this.#jobId });
      if (this.#signal.aborted) return;
      for (const head of heads) {
        this.#known.set(head.id, head);
        if (this.#withCosts && this.#known.size <= MOST_ACCOUNTS) this.#unpaid.add(head.id);
      }
      this.isRead = true;
      this.#show();
      void this.#ask();
    } catch (error) {
      this.#fail(error);
    }
  }

  async #follow(): Promise<void> {
    try {
      for await (const change of this.#source.changes(this.#signal)) {
        if (change.type === 'missed') void this.#readAll();
        else if (
          change.type === 'job' &&
          (change.parentId === this.#jobId || this.#known.has(change.jobId))
        ) {
          this.#stale.add(change.jobId);
          void this.#ask();
        }
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!this.#signal.aborted) this.problem = error instanceof Error ? error.message : String(error);
  }

  /** Asks for what is not known, a few at a time, and shows what came together. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      while (!this.#signal.aborted && this.#stale.size + this.#unpaid.size > 0) {
        const stale = take(this.#stale, AT_ONCE);
        const unpaid = take(this.#unpaid, AT_ONCE - stale.length);
        await Promise.all([
          ...stale.map((id) => this.#readHead(id)),
          ...unpaid.map((id) => this.#readCost(id)),
        ]);
        this.#show();
      }
      this.problem = '';
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isAsking = false;
    }
  }

  async #readHead(id: string): Promise<void> {
    const head = await this.#source.getHead(id);
    if (head === null) this.#known.delete(id);
    else this.#known.set(id, head);
    if (this.#withCosts) this.#unpaid.add(id);
  }

  async #readCost(id: string): Promise<void> {
    const budget = await this.#source.getBudget(id);
    if (budget !== null) this.#spent.set(id, budget.spent);
    else if (this.#spent.size < MOST_READ) await this.#readHistory(id);
  }

  /** What a child spends of its parent's budget, its own history tells. */
  async #readHistory(id: string): Promise<void> {
    const job = await this.#source.getJob(id);
    if (job !== null) this.#spent.set(id, historyOf(job).now.cost);
  }

  #shown = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** At most once in a while: hundreds of children may change in one. */
  #show(): void {
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#shown + 100 - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#shown = performance.now();
      if (this.#signal.aborted) return;
      this.heads = [...this.#known.values()];
      this.costs = new Map(this.#spent);
    }, wait);
  }
}

function take(from: Set<string>, most: number): string[] {
  const taken: string[] = [];
  for (const id of from) {
    if (taken.length >= most) break;
    taken.push(id);
    from.delete(id);
  }
  return taken;
}
