// @ts-check
/** JavaScript that is shipped, made short: above all, what is local to functions gets short names. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../process.mjs';

/** How long a line gets, so that a stack trace points somewhere. */
export const LINE = 160;

/**
 * Members of nodes before which a line may begin, because no statement could end there. Before the first of some
 * expressions, one could: they may stand behind `return`.
 */
const BREAKS = new Set([
  ...['body', 'elements', 'arguments', 'properties', 'declarations', 'expressions', 'specifiers'],
  ...['right', 'consequent', 'alternate'],
]);

/** Those that have such members elsewhere: an arrow's body, what a text is made of. */
const UNBROKEN = new Set(['ArrowFunctionExpression', 'TemplateLiteral']);

/**
 * Gives parameters and variables short names. Functions and classes keep theirs, and so what stack traces show.
 *
 * @param {string} code a module
 * @param {boolean} [isProgram] nobody imports it, and what it shows are sentences: no name stays
 * @returns {Promise<string>}
 */
export async function shortenNames(code, isProgram = false) {
  // Imported late: the set-up reads this file before it is installed. The page's project has it.
  const { minify, parseAst } = await import(
    pathToFileURL(createRequire(join(root, 'www/package.json')).resolve('vite')).href
  );
  const keepNames = { function: !isProgram, class: !isProgram };
  const compress = { target: 'es2022', keepNames };
  const mangle = { toplevel: true, keepNames };
  const shortened = await minify('module.js', code, { module: true, compress, mangle });
  if (shortened.errors.length > 0) throw new Error(shortened.errors[0].message);
  const ascii = toAscii(shortened.code.trim());
  return `${breakLines(ascii, startsOf(parseAst(ascii)))}\n`;
}

/**
 * A page may say that it is written in anything. Other letters stand in texts and patterns only, which both know escapes.
 *
 * @param {string} code
 */
const toAscii = (code) =>
  code.replaceAll(/[^\n\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * Where a line may begin, from the first place to the last.
 *
 * @param {any} tree
 * @returns {number[]}
 */
function startsOf(tree) {
  /** @type {number[]} */
  const starts = [];
  const visit = (/** @type {any} */ node) => {
    for (const [name, value] of Object.entries(node)) {
      const children = [value].flat().filter((child) => typeof child?.type === 'string');
      const mayBreak = BREAKS.has(name) && !UNBROKEN.has(node.type);
      for (const child of name === 'expressions' ? children.slice(1) : children)
        if (mayBreak) starts.push(child.start);
      children.forEach(visit);
    }
  };
  visit(tree);
  return starts.sort((one, other) => one - other);
}

/**
 * @param {string} code
 * @param {number[]} starts
 */
function breakLines(code, starts) {
  let broken = '';
  let [begin, last] = [0, 0];
  const cut = (/** @type {number} */ at) => {
    broken += code.slice(begin, at);
    begin = last = at;
  };
  for (const start of [...starts, code.length]) {
    const own = code.lastIndexOf('\n', start - 1) + 1;
    if (own > begin) cut(own);
    if (start - begin > LINE && last > begin) {
      cut(last);
      broken += '\n';
    }
    last = start;
  }
  return broken + code.slice(begin);
}
