import type { Job } from 'jobwright';

/** What a job's own steps have cost so far, as its history has it; null where none of them says. */
export function costOf({ history }: Job): number | null {
  let total: number | null = null;
  for (const event of Array.isArray(history) ? history : []) {
    const cost = (event?.payload as { cost?: unknown } | null)?.cost;
    if (typeof cost === 'number' && Number.isFinite(cost)) total = (total ?? 0) + cost;
  }
  return total;
}
