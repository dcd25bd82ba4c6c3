/** Where on the page one is: it stands behind the `#` of the address. */
export type Route =
  | { page: 'jobs' }
  | { page: 'new' }
  | { page: 'numbers' }
  | { page: 'job'; jobId: string; view: string }
  | { page: 'unknown' };

const VIEWS = ['graph', 'timeline', 'trace', 'context', 'log', 'budget', 'children'];

export function routeOf(hash: string): Route {
  const [first = '', second, third, ...rest] = hash.replace(/^#?\/?/, '').split('/');
  if (first === '') return { page: 'jobs' };
  if (first === 'new' && second === undefined) return { page: 'new' };
  if (first === 'numbers' && second === undefined) return { page: 'numbers' };
  if (first !== 'jobs' || !second || rest.length > 0) return { page: 'unknown' };
  const view = VIEWS.includes(third ?? '') ? (third as string) : 'graph';
  try {
    return { page: 'job', jobId: decodeURIComponent(second), view };
  } catch {
    return { page: 'unknown' };
  }
}

/** Halves of letters, which no address can hold. */
const HALVES = /\p{Cs}/gu;

export function hashOfJob(jobId: string): string {
  return `#/jobs/${encodeURIComponent(jobId.replace(HALVES, '\ufffd'))}`;
}
