/** What a list shows of a job, from its head, whatever stands there: a store may hold anything. */
import type { JobHead, JobStatus } from 'jobwright';

export const STATUSES: readonly JobStatus[] = ['created', 'running', 'paused', 'completed', 'failed'];

export interface Row {
  id: string;
  parentId: string | null;
  type: string;
  status: JobStatus;
  revision: number;
  created: number;
  started: number | null;
  completed: number | null;
  /** Where it stopped, as far as its head says. */
  step: string | null;
  /** Why it is paused, or failed. */
  reason: string | null;
  approvals: number;
  stepsTaken: number;
}

export function rowOf(head: JobHead): Row {
  const { id, parentId, type, status, timing, run } = head as Partial<JobHead>;
  const stopped = run?.failure?.step ?? run?.pause?.step ?? run?.approvals?.[0]?.step;
  const reason = status === 'failed' ? run?.failure?.code : status === 'paused' ? run?.pause?.reason : null;
  return {
    id: String(id),
    parentId: typeof parentId === 'string' ? parentId : null,
    type: typeof type === 'string' ? type : '',
    status: STATUSES.find((known) => known === status) ?? 'failed',
    revision: finite(run?.revision) ?? 0,
    created: finite(timing?.created) ?? 0,
    started: finite(timing?.started),
    completed: finite(timing?.completed),
    step: typeof stopped === 'string' ? stopped : null,
    reason: typeof reason === 'string' ? reason : null,
    approvals: Array.isArray(run?.approvals) ? run.approvals.length : 0,
    stepsTaken: finite(run?.stepsTaken) ?? 0,
  };
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export const hasEnded = ({ status }: Row): boolean => status === 'completed' || status === 'failed';

export type Order = 'newest' | 'oldest' | 'longest';

export interface Choice {
  status: JobStatus | 'all' | 'approval';
  /** Jobs at the top, all, or the children of one. */
  parent: 'top' | 'all' | { of: string };
  search: string;
  order: Order;
}

/** The rows that are chosen, in order. What is searched for is found among children too. */
export function choose(rows: Iterable<Row>, { status, parent, search, order }: Choice, now: number): Row[] {
  const wanted = search.trim().toLowerCase();
  const found: Row[] = [];
  for (const row of rows) {
    if (
      status === 'approval' ? row.approvals === 0 || hasEnded(row) : status !== 'all' && row.status !== status
    )
      continue;
    if (
      typeof parent === 'object'
        ? row.parentId !== parent.of
        : parent === 'top' && !wanted && row.parentId !== null
    )
      continue;
    if (wanted && !row.id.toLowerCase().includes(wanted) && !row.type.toLowerCase().includes(wanted))
      continue;
    found.push(row);
  }
  return found.sort(BY_ORDER[order](now));
}

const BY_ORDER: Record<Order, (now: number) => (a: Row, b: Row) => number> = {
  newest: () => (a, b) => b.created - a.created || (a.id < b.id ? 1 : -1),
  oldest: () => (a, b) => a.created - b.created || (a.id < b.id ? -1 : 1),
  longest: (now) => (a, b) => (took(b, now) ?? -1) - (took(a, now) ?? -1) || b.created - a.created,
};

export function took({ started, completed }: Row, now: number): number | null {
  return started === null ? null : Math.max(0, (completed ?? now) - started);
}
