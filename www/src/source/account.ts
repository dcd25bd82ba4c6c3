import type { Budget, Source } from './source';

/** Of whom a job spends the money: its own, or the nearest job's above it that has some. */
export type Account = Budget & { jobId: string };

/** No tree of jobs is deeper. */
const DEEPEST = 100;

export async function accountOf(source: Source, jobId: string): Promise<Account | null> {
  let id: string | undefined = jobId;
  for (let depth = 0; id !== undefined && depth < DEEPEST; depth += 1) {
    const budget = await source.getBudget(id);
    if (budget !== null) return { ...budget, jobId: id };
    id = (await source.getHead(id))?.parentId;
  }
  return null;
}
