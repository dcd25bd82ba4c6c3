// @ts-check
/** The names of what is local to functions, in JavaScript that is shipped: a seventh of it. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../process.mjs';

/** How long a line gets, so that a stack trace points somewhere. */
export const LINE = 160;

/**
 * Gives parameters and variables short names. Those of functions, classes and modules stay, and so what stack traces
 * show.
 *
 * @param {string} code a module
 * @returns {Promise<string>}
 */
export async function shortenNames(code) {
  // Both imported late: the set-up reads this file before they are installed. The page's project has the one.
  const { minify } = await import(
    pathToFileURL(createRequire(join(root, 'www/package.json')).resolve('vite')).href
  );
  const { transform } = await import('esbuild');
  const kept = { toplevel: false, keepNames: { function: true, class: true } };
  const shortened = await minify('module.js', code, { module: true, compress: false, mangle: kept });
  if (shortened.errors.length > 0) throw new Error(shortened.errors[0].message);
  const written = { minifyWhitespace: true, lineLimit: LINE, charset: 'ascii', target: 'es2022' };
  return (await transform(shortened.code, /** @type {import('esbuild').TransformOptions} */ (written))).code;
}
