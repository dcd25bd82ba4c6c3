/** Server-sent events that come back after a lost connection, and rest while nobody looks at the page. */

export interface Message {
  event: string;
  data: string;
}

/** Milliseconds until the next attempt after a lost connection: twice as long each time. */
const PATIENCE = { first: 500, most: 10_000 };

/** A server says every 15 seconds that it is there: after so long a silence the connection is taken for dead. */
const SILENCE_MS = 40_000;

/** How long a server may take to answer. */
const ANSWER_MS = 20_000;

/** A page in the background gives its connection to those that are looked at: a browser opens few to one server. */
const BACKGROUND_MS = 10_000;

/** Who is told how the connection is. */
interface Told {
  reconnected?: () => void;
  /** A lost connection that comes back at once is no matter: this is told where it does not. */
  lost?: (error: Error) => void;
}

/**
 * What the server says, from connection to connection, until it says "end" or `signal` aborts. Rejects where the server
 * refuses, and not where it does not answer.
 */
export async function* follow(
  connect: (signal: AbortSignal) => Promise<Response>,
  signal: AbortSignal,
  { reconnected = () => {}, lost = () => {} }: Told = {},
): AsyncGenerator<Message> {
  let wait = PATIENCE.first;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    await visible(signal);
    if (signal.aborted) return;
    const response = await within(connect, signal).catch((error) => {
      if (signal.aborted) return null;
      if (isRefused(error)) throw error;
      lost(error);
      return null;
    });
    if (response !== null) {
      if (!isFirst) reconnected();
      wait = PATIENCE.first;
      for await (const message of messagesOf(response, signal)) {
        yield message;
        if (message.event === 'end') return;
      }
    }
    await sleep(wait, signal);
    wait = Math.min(wait * 2, PATIENCE.most);
  }
}

/** A server that was stopped, or is at the end of a dead line, takes what it is asked and does not answer. */
async function within(
  connect: (signal: AbortSignal) => Promise<Response>,
  signal: AbortSignal,
): Promise<Response> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error('The server does not answer.')), ANSWER_MS);
  try {
    return await connect(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

function isRefused(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code !== 'unreachable' && code !== 'too_many' && code !== 'internal';
}

async function* messagesOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Message> {
  if (body === null) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  const end = () => void reader.cancel().catch(() => {});
  const leave = leaveInBackground(end);
  let silence = setTimeout(end, SILENCE_MS);
  try {
    for (let rest = ''; ; ) {
      // A connection that breaks is one that ends.
      const { done, value } = await reader.read().catch(() => ({ done: true, value: '' }));
      if (done || signal.aborted) return;
      clearTimeout(silence);
      silence = setTimeout(end, SILENCE_MS);
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const message = read(block);
        if (message !== null) yield message;
      }
    }
  } finally {
    leave();
    clearTimeout(silence);
    end();
  }
}

/** Comments only say that the server is there. */
function read(block: string): Message | null {
  let event = 'message';
  const data = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) event = line.slice(7);
    else if (line.startsWith('data: ')) data.push(line.slice(6));
  }
  return data.length === 0 ? null : { event, data: data.join('\n') };
}

function leaveInBackground(leave: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(leave, BACKGROUND_MS);
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', look);
  };
}

/** Resolves when the page is looked at, or the signal aborts. */
function visible(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
    look();
  });
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
