/** Jobs behind a server: `jobwright dashboard`. */
import type { Job, JobEvent, JobFilter, JobHead, Outcome } from 'jobwright';
import type { Change, Source } from './source';
import { follow } from './stream';

/** How many heads the server gives at once. */
const PAGE = 1_000;

/** How many changes may wait for who reads them slowly. */
const MOST_WAITING = 1_000;

type Arguments = Record<string, unknown>;

/** Says why in a sentence, and has a code. */
class ServerError extends Error {
  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

const ANOTHER = 'The server was started anew: open the address that it printed';

/** At the address there is another server than the one that gave this page, as each has a path and a token of its own. */
function isAnother(error: unknown): boolean {
  return error instanceof ServerError && ['not_found', 'unauthorized'].includes(error.code);
}

/** What such a server says is told as what it means, where it can mean nothing else. */
const meant = (error: unknown) => (isAnother(error) ? new ServerError(ANOTHER, 'another') : error);

/** The address of something, beside the page. */
function at(name: string, query: Record<string, string | number | undefined> = {}): URL {
  const url = new URL(`api/${name}`, document.baseURI);
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(key, String(value));
  }
  return url;
}

export async function ask(url: URL, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ServerError(
      'The server does not answer. Is "jobwright dashboard" still running?',
      'unreachable',
    );
  }
  if (response.ok) return response;
  const said: unknown = await response.json().catch(() => null);
  const { message = `The server answered ${response.status}.`, code = 'internal' } = (said ?? {}) as {
    message?: string;
    code?: string;
  };
  throw new ServerError(message, code);
}

async function get<T>(name: string, query?: Record<string, string | number | undefined>): Promise<T> {
  return (await ask(at(name, query))).json();
}

async function post<T = Outcome>(name: string, body: Arguments): Promise<T> {
  const headers = { 'Content-Type': 'application/json' };
  return (await ask(at(name), { method: 'POST', headers, body: JSON.stringify(body) })).json();
}

/** Page by page, as a server that is asked for everything at once would hold up all others. */
async function listJobs({
  status,
  limit = Number.POSITIVE_INFINITY,
  ...rest
}: JobFilter = {}): Promise<JobHead[]> {
  const heads: JobHead[] = [];
  for (let cursor = rest.cursor; heads.length < limit; cursor = heads.at(-1)?.id) {
    const asked = Math.min(PAGE, limit - heads.length);
    const query = { parentId: rest.parentId, cursor, limit: asked, status: status && [status].flat().join() };
    const page = await get<JobHead[]>('jobs', query).catch((error) => Promise.reject(meant(error)));
    heads.push(...page);
    if (page.length < asked) break;
  }
  return heads;
}

interface Reader {
  hear(change: Change): void;
  fail(error: unknown): void;
}

/** One connection for all who want to hear of changes: a browser opens few to one server. */
class Changes {
  private readonly readers = new Set<Reader>();
  private connection: AbortController | null = null;

  async *read(signal: AbortSignal): AsyncGenerator<Change> {
    let waiting: Change[] = [];
    let failure: { error: unknown } | null = null;
    let wake = () => {};
    const reader: Reader = {
      hear(change) {
        waiting = waiting.length < MOST_WAITING ? [...waiting, change] : [{ type: 'missed' }];
        wake();
      },
      fail(error) {
        failure = { error };
        wake();
      },
    };
    const end = () => wake();
    signal.addEventListener('abort', end);
    this.readers.add(reader);
    this.connect();
    try {
      while (!signal.aborted) {
        const told = waiting;
        waiting = [];
        yield* told;
        if (failure !== null) throw (failure as { error: unknown }).error;
        if (waiting.length === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', end);
      this.readers.delete(reader);
      if (this.readers.size === 0) this.disconnect();
    }
  }

  private connect() {
    if (this.connection !== null) return;
    this.connection = new AbortController();
    void this.listen(this.connection.signal);
  }

  private async listen(signal: AbortSignal) {
    try {
      const told = {
        reconnected: () => this.tell({ type: 'missed' }),
        lost: ({ message }: Error) => this.tell({ type: 'lost', message }),
      };
      for await (const { data } of follow((until) => ask(at('changes'), { signal: until }), signal, told))
        this.tell(JSON.parse(data));
    } catch (error) {
      if (signal.aborted) return;
      this.disconnect();
      for (const { fail } of this.readers) fail(meant(error));
    }
  }

  private tell(change: Change) {
    for (const { hear } of this.readers) hear(change);
  }

  private disconnect() {
    this.connection?.abort();
    this.connection = null;
  }
}

async function* events(
  jobId: string,
  { after, signal }: { after: number; signal: AbortSignal },
): AsyncGenerator<JobEvent> {
  let seen = after;
  for await (const { event, data } of follow(
    (until) => ask(at('events', { id: jobId, after: seen }), { signal: until }),
    signal,
  )) {
    if (event === 'end') return;
    const told = JSON.parse(data) as JobEvent;
    seen = told.seq;
    yield told;
  }
}

export async function openServerSource(): Promise<Source> {
  const hello = await get<Pick<Source, 'name' | 'access' | 'slowPlayMs'>>('hello');
  const changes = new Changes();
  return {
    home: 'server',
    ...hello,
    listJobs,
    getHead: (id) => get<JobHead | null>('head', { id }),
    getJob: (id) => get<Job | null>('job', { id }),
    health: () => get('health'),
    isPaused: () => get<boolean>('paused').catch((error) => Promise.reject(meant(error))),
    getBudget: (id) => get('budget', { id }),
    events,
    changes: (signal) => changes.read(signal),

    createJob: (job) => post<string>('createJob', { ...job }),
    startJob: (jobId) => post('startJob', { jobId }),
    pauseJob: (jobId) => post('pauseJob', { jobId }),
    stepJob: (jobId) => post('stepJob', { jobId }),
    cancelJob: (jobId, reason) => post('cancelJob', { jobId, reason }),
    approveStep: (jobId, answer) => post('approveStep', { jobId, ...answer }),
    rejectStep: (jobId, answer) => post('rejectStep', { jobId, ...answer }),
    signal: (jobId, name, payload) => post('signal', { jobId, name, payload }),
    setBreakpoints: (jobId, steps) => post('setBreakpoints', { jobId, steps }),
    setPermissions: (jobId, permissions) => post('setPermissions', { jobId, permissions }),
    setBudget: (jobId, limit) => post('setBudget', { jobId, limit }),
    setSlowPlay: async (ms) => {
      await post<null>('setSlowPlay', { ms });
    },
    pauseAll: () => post('pauseAll', {}),
    startAll: () => post('startAll', {}),
    stopAll: (reason) => post('stopAll', { reason }),
    forkJob: (jobId, options) => post<string>('forkJob', { jobId, ...options }),
    replayJob: (id) => get('replay', { id }),
    exportJob: async (id, { redact }) => (await ask(at('export', { id, redact: redact ? 1 : 0 }))).text(),
  };
}
