// @ts-check
/** Server-sent events, to readers that may be slow, or gone. */

/**
 * @typedef {import('node:http').ServerResponse} Response
 *
 * @typedef {object} Stream
 * @property {AbortSignal} signal aborts when nobody reads any more
 * @property {(text: string) => Promise<void>} send resolves when the reader takes more
 * @property {() => void} end
 */

/** How often a stream says that it is there, so that nobody in between takes it for dead. */
const HEARTBEAT_MS = 15_000;

/** How long a reader may take nothing. It may come back, and go on where it was. */
const PATIENCE_MS = 30_000;

/** How many may be open at once. */
const MOST = 256;

export class Streams {
  /** @param {{ heartbeatMs?: number, patienceMs?: number }} [times] */
  constructor({ heartbeatMs = HEARTBEAT_MS, patienceMs = PATIENCE_MS } = {}) {
    this.heartbeatMs = heartbeatMs;
    this.patienceMs = patienceMs;
    /** @type {Set<Stream>} */
    this.all = new Set();
  }

  get areTooMany() {
    return this.all.size >= MOST;
  }

  /** @param {Response} response @returns {Stream} */
  open(response) {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    const gone = new AbortController();
    const { signal } = gone;
    const beat = setInterval(() => {
      // Who has not taken what was sent is not sent more.
      if (!response.writableNeedDrain) response.write(':\n\n');
    }, this.heartbeatMs);
    /** @type {Stream} */
    const stream = {
      signal,
      send: async (text) => {
        if (!signal.aborted && !response.write(text)) await this.drained(response, signal);
      },
      end: () => void response.end(),
    };
    response.on('error', () => {});
    response.once('close', () => {
      clearInterval(beat);
      this.all.delete(stream);
      gone.abort();
    });
    this.all.add(stream);
    response.write(':\n\n');
    return stream;
  }

  /**
   * @param {Response} response
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  drained(response, signal) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => response.destroy(), this.patienceMs);
      const done = () => {
        clearTimeout(timer);
        response.off('drain', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      response.once('drain', done);
      signal.addEventListener('abort', done);
    });
  }

  end() {
    for (const stream of this.all) stream.end();
  }
}

/**
 * @param {{ id?: number, event?: string, data: unknown }} message
 */
export function message({ id, event, data }) {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    `data: ${JSON.stringify(data)}`,
  ];
  return `${lines.join('\n')}\n\n`;
}
