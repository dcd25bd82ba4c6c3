// @ts-check
/** The last lines at a terminal, written over and over. */

const ESC = '\x1b[';
const CURSOR = { hidden: `${ESC}?25l`, shown: `${ESC}?25h` };
/** A terminal that knows these shows what is between them at once; others pass over them. */
const TOGETHER = { begin: `${ESC}?2026h`, end: `${ESC}?2026l` };
/** A line that is too long is cut off by the terminal, which alone knows how wide its letters are: each takes one row. */
const WRAPPING = { off: `${ESC}?7l`, on: `${ESC}?7h` };
const ERASE_LINE = `${ESC}2K`;
const ERASE_BELOW = `${ESC}J`;

/** @typedef {ReturnType<typeof createLive>} Live */

/** @param {NodeJS.WriteStream} stream */
export function createLive(stream) {
  /** How many lines there are; the cursor stands below them. */
  let count = 0;
  let last = '';
  let isHidden = false;

  const showCursor = () => {
    if (isHidden) stream.write(CURSOR.shown);
    isHidden = false;
  };
  // Whatever ends the process: the shell that goes on needs its cursor.
  process.once('exit', showCursor);

  /** What takes the cursor to the first line. */
  const up = () => (count > 0 ? `\r${ESC}${count}A` : '\r');

  return {
    /** @param {string[]} lines */
    draw(lines) {
      // What has left the screen can't be written over.
      const shown = lines.slice(-Math.max(1, (stream.rows || 24) - 1));
      const text = shown.map((line) => `${ERASE_LINE}${line}\n`).join('');
      if (text === last) return;
      const { off, on } = WRAPPING;
      stream.write(`${TOGETHER.begin}${CURSOR.hidden}${off}${up()}${text}${ERASE_BELOW}${on}${TOGETHER.end}`);
      isHidden = true;
      count = shown.length;
      last = text;
    },
    /** Takes the lines away: what is written next stands where they were. */
    clear() {
      if (count > 0) stream.write(`${up()}${ERASE_BELOW}`);
      count = 0;
      last = '';
    },
    showCursor,
  };
}
