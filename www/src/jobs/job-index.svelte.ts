/** The heads of all jobs, read once and kept up to date by what is told of them. */
import type { JobHead, JobStatus } from 'jobwright';
import { sayProblem } from '../feedback.svelte';
import type { Change, Source } from '../source/source';
import { hasEnded, type Row, rowOf } from './row';

type JobChange = Extract<Change, { type: 'job' }>;

const PAGE = 500;
/** So many heads are read at a time; of other jobs that changed meanwhile only the status is taken. */
const READ_AT_ONCE = 48;
/** How often what changed is shown, at most: of many jobs, choosing and sorting takes its time. */
const FLUSH_MS = 60;
const FLUSH_MANY_MS = 250;
const MANY = 2_000;
const RETRY_MS = [500, 1_000, 2_000, 5_000];

export interface Children {
  total: number;
  ended: number;
  failed: number;
}

export interface JobIndex {
  /** Rises with every change of what the others give. */
  readonly version: number;
  readonly loaded: boolean;
  /** Why nothing is heard of the jobs at the moment, or null. */
  readonly lost: string | null;
  paused: boolean;
  rows(): Iterable<Row>;
  get(id: string): Row | undefined;
  counts(): Record<JobStatus, number> & { approvals: number; open: number };
  childrenOf(id: string): Children | undefined;
  follow(signal: AbortSignal): void;
}

export function createJobIndex(source: Source): JobIndex {
  const state = $state({ version: 0, loaded: false, lost: null as string | null, paused: false });
  const rows = new Map<string, Row>();
  const families = new Map<string, Children>();
  const counts = { created: 0, running: 0, paused: 0, completed: 0, failed: 0, approvals: 0, open: 0 };
  const dirty = new Map<string, JobChange>();
  let flushing = false;

  function count(row: Row, by: 1 | -1) {
    counts[row.status] += by;
    if (!hasEnded(row)) counts.open += by;
    if (row.approvals > 0 && !hasEnded(row)) counts.approvals += by;
    if (row.parentId === null) return;
    const { total, ended, failed } = families.get(row.parentId) ?? { total: 0, ended: 0, failed: 0 };
    families.set(row.parentId, {
      total: total + by,
      ended: ended + (hasEnded(row) ? by : 0),
      failed: failed + (row.status === 'failed' ? by : 0),
    });
  }

  function put(row: Row) {
    const old = rows.get(row.id);
    // A job that was removed and made anew begins at the first revision again.
    if (old !== undefined && old.revision > row.revision && old.created === row.created) return;
    if (old !== undefined) count(old, -1);
    rows.set(row.id, row);
    count(row, 1);
  }

  function remove(id: string) {
    const old = rows.get(id);
    if (old !== undefined) count(old, -1);
    rows.delete(id);
  }

  async function load(signal: AbortSignal) {
    // What is gone goes from the list at the end: whoever looks at a row far down stays there.
    const gone = new Set(rows.keys());
    const [paused, first] = await Promise.all([source.isPaused(), source.listJobs({ limit: PAGE })]);
    state.paused = paused;
    for (let page: JobHead[] = first; ; ) {
      for (const head of page) {
        put(rowOf(head));
        gone.delete(head.id);
      }
      state.version += 1;
      const last = page.at(-1);
      if (signal.aborted) return;
      if (page.length < PAGE || last === undefined) break;
      page = await source.listJobs({ limit: PAGE, cursor: last.id });
    }
    for (const id of gone) remove(id);
    state.version += 1;
    state.loaded = true;
  }

  async function flush() {
    const taken = [...dirty.values()];
    dirty.clear();
    const fresh = taken.filter(({ jobId, revision }) => (rows.get(jobId)?.revision ?? -1) < revision);
    for (const change of fresh.slice(READ_AT_ONCE)) {
      const row = rows.get(change.jobId);
      // Its revision stays as it was read: the rest of it is read when there is time.
      if (row !== undefined) put({ ...row, status: change.status });
      if (!dirty.has(change.jobId)) dirty.set(change.jobId, change);
    }
    const read = await Promise.all(
      fresh.slice(0, READ_AT_ONCE).map(async ({ jobId }) => ({ jobId, head: await source.getHead(jobId) })),
    );
    for (const { jobId, head } of read) {
      if (head === null) remove(jobId);
      else put(rowOf(head));
    }
    if (fresh.length > 0) state.version += 1;
  }

  async function flushSoon(signal: AbortSignal) {
    if (flushing) return;
    flushing = true;
    while (dirty.size > 0 && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, rows.size > MANY ? FLUSH_MANY_MS : FLUSH_MS));
      await flush().catch(sayProblem);
    }
    flushing = false;
  }

  async function listen(signal: AbortSignal, heard: () => void) {
    const changes = source.changes(signal);
    const reading = load(signal);
    // It is awaited below, and may fail before that.
    reading.catch(() => {});
    const following = (async () => {
      for await (const change of changes) {
        if (change.type === 'lost') {
          state.lost = change.message;
          continue;
        }
        heard();
        if (change.type === 'control') state.paused = change.paused;
        else if (change.type === 'missed') await load(signal);
        else {
          dirty.set(change.jobId, change);
          void flushSoon(signal);
        }
      }
    })();
    await Promise.race([reading.then(() => following), following]);
  }

  async function follow(signal: AbortSignal) {
    for (let failures = 0; !signal.aborted; failures += 1) {
      const round = new AbortController();
      const end = () => round.abort();
      signal.addEventListener('abort', end, { once: true });
      try {
        const heard = () => {
          failures = 0;
          state.lost = null;
        };
        const listening = listen(round.signal, heard);
        void source.isPaused().then(heard, () => {});
        await listening;
        if (!signal.aborted) state.lost = 'The connection ended';
      } catch (error) {
        if (!signal.aborted) state.lost = (error as Error).message || 'The connection was lost';
      }
      round.abort();
      signal.removeEventListener('abort', end);
      if (!signal.aborted) {
        const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  return {
    get version() {
      return state.version;
    },
    get loaded() {
      return state.loaded;
    },
    get lost() {
      return state.lost;
    },
    get paused() {
      return state.paused;
    },
    set paused(value) {
      state.paused = value;
    },
    rows: () => rows.values(),
    get: (id) => rows.get(id),
    counts: () => ({ ...counts }),
    childrenOf: (id) => {
      void state.version;
      return families.get(id);
    },
    follow: (signal) => void follow(signal),
  };
}
