// @ts-check
/** Lines for a person: steps as they run, one line that is rewritten where there is a terminal, and a question. */
import { clearLine, cursorTo } from 'node:readline';
import { createInterface } from 'node:readline/promises';

const COLOURS = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 };

/** @typedef {keyof typeof COLOURS} Colour */

/**
 * @param {{ input?: NodeJS.ReadStream, output?: NodeJS.WriteStream, env?: NodeJS.ProcessEnv }} [streams]
 */
export function createTerminal({ input = process.stdin, output = process.stdout, env = process.env } = {}) {
  const rewrites = output.isTTY === true && env.TERM !== 'dumb';
  const coloured = rewrites && !env.NO_COLOR;
  let rewritten = false;

  /** @param {string} text @param {Colour} colour */
  const paint = (text, colour) => (coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text);

  function erase() {
    if (!rewritten) return;
    cursorTo(output, 0);
    clearLine(output, 0);
    rewritten = false;
  }

  return {
    paint,
    /** Can a person be asked? */
    isInteractive: input.isTTY === true && output.isTTY === true,

    /** @param {string} [text] */
    line(text = '') {
      erase();
      output.write(`${text}\n`);
    },

    /**
     * What goes on at the moment: replaced by the next line where there is a terminal, and a line of its own elsewhere.
     *
     * @param {string} text
     */
    passing(text) {
      if (!rewrites) {
        output.write(`${text}\n`);
        return;
      }
      erase();
      // A line that wraps could not be erased.
      output.write(paint(text.slice(0, (output.columns || 80) - 1), 'dim'));
      rewritten = true;
    },

    /**
     * @param {string} question
     * @param {AbortSignal} signal
     * @returns {Promise<string | null>} null where there was no answer
     */
    async ask(question, signal) {
      erase();
      const reader = createInterface({ input, output });
      // The reader takes Ctrl-C away from the process; it is given back.
      reader.on('SIGINT', () => process.emit('SIGINT'));
      const closed = new Promise((resolve) => reader.once('close', () => resolve(null)));
      try {
        const answer = await Promise.race([reader.question(question, { signal }), closed]);
        if (answer === null) output.write('\n');
        return answer;
      } catch (error) {
        if (signal.aborted) return null;
        throw error;
      } finally {
        reader.close();
        if (signal.aborted) output.write('\n');
      }
    },
  };
}

/** @typedef {ReturnType<typeof createTerminal>} Terminal */

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}
