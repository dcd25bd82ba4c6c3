/** What is told when nobody asks, for who asks one by one. */
export interface Queue<T> extends AsyncIterable<T> {
  push(value: T): void;
  end(): void;
  fail(error: unknown): void;
}

/**
 * Keeps what is pushed until it is taken. Of values with the same key only the last is kept, in the place of the first,
 * so that a reader who is slow finds what is, not all that was.
 */
export function createQueue<T>(
  signal: AbortSignal,
  keyOf: (value: T) => string | null = () => null,
): Queue<T> {
  const waiting = new Map<string | symbol, T>();
  let ended = signal.aborted;
  let failure: { error: unknown } | null = null;
  let wake = () => {};

  const end = () => {
    ended = true;
    wake();
  };
  signal.addEventListener('abort', end, { once: true });

  async function* read(): AsyncGenerator<T> {
    while (!ended) {
      for (const [key, value] of waiting) {
        waiting.delete(key);
        yield value;
        if (signal.aborted) return;
      }
      if (failure !== null) throw failure.error;
      if (ended || waiting.size > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    push: (value) => {
      waiting.set(keyOf(value) ?? Symbol(), value);
      wake();
    },
    end,
    fail: (error) => {
      failure = { error };
      wake();
    },
    [Symbol.asyncIterator]: read,
  };
}
