/** What the list shows of a job beyond its head, read for the rows that are on the screen alone. */
import type { Job } from 'jobwright';
import type { Source } from '../source/source';
import { costOf } from './cost';
import { hasEnded, type Row } from './row';

export interface Details {
  revision: number;
  name: string;
  /** Which step is at work, or waits. */
  step: string | null;
  done: number;
  steps: number;
  cost: number | null;
}

/** A job that changes all the time is read again this often. */
const AGAIN_MS = 1_000;
/** Rows that fly past are not read. */
const SETTLE_MS = 120;
/** What was not read is older than all that can be. */
const UNREAD = -1;
/** More than a list shows in a long while. */
const REMEMBERED = 2_000;

export interface DetailReader {
  of(id: string): Details | undefined;
  /** The row is on the screen, until the function that it answers is called. */
  show(row: () => Row): () => void;
}

export function createDetailReader(source: Source): DetailReader {
  const state = $state({ version: 0 });
  const known = new Map<string, Details & { readAt: number }>();
  const visible = new Set<() => Row>();
  let reading = false;

  const isDue = ({ id, revision }: Row, now: number) => {
    const details = known.get(id);
    return details === undefined || (details.revision < revision && now - details.readAt >= AGAIN_MS);
  };

  async function readNext() {
    const now = performance.now();
    const row = [...visible].map((give) => give()).find((row) => isDue(row, now));
    if (row !== undefined) {
      const details = await read(row);
      if (known.size >= REMEMBERED) known.clear();
      known.set(row.id, { ...details, readAt: performance.now() });
      state.version += 1;
    }
    const mayChange = [...visible].some((give) => !hasEnded(give()) || isDue(give(), Infinity));
    reading = mayChange;
    if (mayChange) setTimeout(readNext, row === undefined ? SETTLE_MS : 0);
  }

  async function read({ id, revision }: Row): Promise<Details> {
    const nothing = { revision, name: '', step: null, done: 0, steps: 0, cost: null };
    try {
      const [job, account] = await Promise.all([source.getJob(id), source.getBudget(id)]);
      return job === null ? nothing : { ...detailsOf(job), cost: account?.spent ?? costOf(job) };
    } catch {
      // A row that can't be read says what it said; the rest of the list goes on, and it is tried again.
      return { ...(known.get(id) ?? nothing), revision: UNREAD };
    }
  }

  return {
    of: (id) => {
      void state.version;
      return known.get(id);
    },
    show: (row) => {
      visible.add(row);
      if (!reading) setTimeout(readNext, SETTLE_MS);
      reading = true;
      return () => void visible.delete(row);
    },
  };
}

function detailsOf({ run }: Job): Omit<Details, 'cost'> {
  const steps = Array.isArray(run?.plan?.steps) ? run.plan.steps : [];
  const states = (run?.steps ?? {}) as Record<string, { status?: string } | undefined>;
  const statusOf = (id: string) => states[id]?.status ?? 'pending';
  const isActive = ({ id }: { id: string }) => ['running', 'waiting'].includes(statusOf(id));
  const name = run?.plan?.name;
  return {
    revision: run?.revision ?? 0,
    name: typeof name === 'string' ? name : '',
    step: steps.find(isActive)?.id ?? null,
    done: steps.filter(({ id }) => ['done', 'skipped', 'failed'].includes(statusOf(id))).length,
    steps: steps.length,
  };
}
