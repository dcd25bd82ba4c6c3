// @ts-check
/** Where commands write and ask: plain lines in a pipe; at a terminal colours, a part that is rewritten, and questions. */
import { createInterface } from 'node:readline/promises';
import { createLive } from './live.js';
import { json, plain, visible } from './text.js';

const COLOURS = { green: 32, yellow: 33, red: 31, cyan: 36, dim: 2, bold: 1 };

/** @typedef {keyof typeof COLOURS} Colour */
/** @typedef {ReturnType<typeof createTerminal>} Terminal */

/**
 * @param {object} streams
 * @param {NodeJS.ReadStream} streams.stdin
 * @param {NodeJS.WriteStream} streams.stdout
 * @param {NodeJS.WriteStream} streams.stderr
 * @param {NodeJS.ProcessEnv} streams.env
 * @param {boolean} forProgram with `--json`: nothing but JSON goes to the standard output
 */
export function createTerminal({ stdin, stdout, stderr, env }, forProgram) {
  const rewrites = stdout.isTTY === true && env.TERM !== 'dumb' && !forProgram;
  const coloured = rewrites && !env.NO_COLOR;
  const live = rewrites ? createLive(stdout) : null;
  /** @type {string[]} */
  let block = [];
  let isAsking = false;

  /**
   * What is written in between stands above the part that is rewritten.
   *
   * @param {NodeJS.WriteStream} stream
   * @param {string} text
   */
  function write(stream, text) {
    if (live === null || block.length === 0) {
      // The question has left the cursor in the middle of its line.
      stream.write(isAsking ? `\n${text}` : text);
      isAsking = false;
      return;
    }
    live.clear();
    stream.write(text);
    live.draw(block);
  }

  return {
    forProgram,
    /** Can a person be asked? Not by a terminal that was read to its end, as for a plan. */
    get isInteractive() {
      return stdin.isTTY === true && !stdin.readableEnded && stdout.isTTY === true && !forProgram;
    },
    /** Can lines be written again? */
    rewrites,
    rows: () => stdout.rows || 24,
    columns: () => stdout.columns || 80,

    /** @param {string} text @param {Colour} colour */
    paint: (text, colour) => (coloured ? `\x1b[${COLOURS[colour]}m${text}\x1b[0m` : text),

    /** For people. @param {string} [text] */
    line(text = '') {
      if (!forProgram) write(stdout, `${text}\n`);
    },

    /** For programs. @param {unknown} value */
    json: (value) => void stdout.write(`${json(value)}\n`),

    /** What was asked for: a graph, an export. As it is, unless somebody looks. @param {string} text */
    raw: (text) => void stdout.write(stdout.isTTY === true ? visible(text) : text),

    /** Beside what was asked for. @param {string} text */
    note: (text) => write(stderr, `${text}\n`),

    /** @param {string} code @param {string} message */
    error(code, message) {
      const text = forProgram
        ? json({ error: { code, message } })
        : `jobwright: ${plain(message, 2_000)} [${plain(code)}]`;
      write(stderr, `${text}\n`);
    },

    /** Rewrites the last lines. @param {string[]} lines */
    rewrite(lines) {
      block = lines;
      live?.draw(lines);
    },

    /** What was rewritten last goes away. */
    settle() {
      if (block.length === 0) return;
      live?.clear();
      live?.showCursor();
      block = [];
    },

    /**
     * @param {string} question
     * @param {AbortSignal} signal
     * @returns {Promise<string | null>} null where there was no answer
     */
    async ask(question, signal) {
      const reader = createInterface({ input: stdin, output: stdout, terminal: rewrites });
      isAsking = true;
      // The reader takes Ctrl-C away from the process; it is given back.
      reader.on('SIGINT', () => process.emit('SIGINT'));
      const closed = new Promise((resolve) => reader.once('close', () => resolve(null)));
      try {
        const answer = await Promise.race([reader.question(question, { signal }), closed]);
        // Whoever answers has ended the line.
        isAsking = answer === null;
        return answer;
      } catch (error) {
        if (signal.aborted) return null;
        throw error;
      } finally {
        reader.close();
        if (isAsking) write(stdout, '');
      }
    },

    /** When everything is written: a pipe may be slower than the process ends. */
    async flushed() {
      await Promise.all(
        [stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))),
      );
    },
  };
}
