// @ts-check
/** How far something is: one line that is rewritten where there is a terminal, and a line now and then elsewhere. */
import { clearLine, cursorTo } from 'node:readline';

const SELDOM_MS = 5_000;

/**
 * @param {{ output?: NodeJS.WriteStream, env?: NodeJS.ProcessEnv, now?: () => number }} [parts]
 */
export function createProgress({ output = process.stdout, env = process.env, now = Date.now } = {}) {
  const rewrites = output.isTTY === true && env.TERM !== 'dumb';
  let told = now();
  let latest = '';

  const erase = () => {
    cursorTo(output, 0);
    clearLine(output, 0);
  };

  return {
    /** @param {string} text */
    shows(text) {
      latest = text;
      if (rewrites) {
        erase();
        // A line that wraps could not be erased.
        output.write(text.slice(0, (output.columns || 80) - 1));
      } else if (now() - told >= SELDOM_MS) {
        told = now();
        output.write(`${text}\n`);
      }
    },
    /** Leaves what was told last, for what comes after it. */
    ends() {
      if (rewrites) erase();
      if (latest !== '') output.write(`${latest}\n`);
    },
  };
}
