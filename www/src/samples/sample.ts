import type { NewJob } from '../source/source';

/** A workflow to begin with. */
export interface Sample extends NewJob {
  key: string;
  title: string;
  /** A sentence or two, for people. */
  about: string;
}

/** How long an agent of the samples pretends to work; ends at once when the job is cancelled or the tab closes. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** The same number for the same text, of at least 0 and below `below`: what looks like chance and is none. */
export function drawn(text: string, below: number): number {
  let hash = 2_166_136_261;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return hash % below;
}
