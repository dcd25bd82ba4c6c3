// @ts-check
/** Ctrl-C and its like: the first one asks for a pause, another ends the process. */
import { EXIT } from './failure.js';

/** A Ctrl-C often reaches a program twice, from the terminal and from npx. */
const SAME_PRESS_MS = 250;

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE']);

/**
 * @param {{ first: () => void, second: () => void }} say what each means
 * @returns {{ signal: AbortSignal, ignore: () => void }}
 */
export function onInterrupt({ first, second }) {
  const controller = new AbortController();
  let pressed = 0;
  const stop = () => {
    if (!controller.signal.aborted) {
      pressed = Date.now();
      first();
      controller.abort();
    } else if (Date.now() - pressed > SAME_PRESS_MS) {
      second();
      process.exit(EXIT.interrupted);
    }
  };
  for (const name of SIGNALS) process.on(name, stop);
  return { signal: controller.signal, ignore: () => SIGNALS.forEach((name) => void process.off(name, stop)) };
}
