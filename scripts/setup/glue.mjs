// @ts-check
/** The JavaScript that wasm-bindgen writes around the module, made as short as it can be. */
import { readFileSync, writeFileSync } from 'node:fs';
import { root } from '../process.mjs';
import { IMPORTS } from './shorten-imports.mjs';

/** @typedef {import('./shorten-imports.mjs').Import} Import */

/** A function of the glue that passes its arguments on. */
const PASSES_ON =
  /^ {4}(\w+): function\(([\w, ]*)\) \{\n {6}(?:const ret = )?(\w+)\(([^()]*)\);\n(?: {6}return ret;\n)? {4}\}/gm;

/** The glue writes a text character by character, which is quicker than an encoder only where it is short. */
const SHORT = 500;

/**
 * The glue makes one instance of the module, however often it is asked. Here each call makes another, of a module that
 * is read and compiled once.
 */
const INIT = `function initSync(source) {
  if (wasmModule === void 0) {
    const { module } = source;
    wasmModule = module instanceof WebAssembly.Module ? module : new WebAssembly.Module(module);
  }
  return __wbg_finalize_init(new WebAssembly.Instance(wasmModule, __wbg_get_imports()), wasmModule);
}
`;

/** What the bridge needs of the glue: it calls the module's exports as they are, and nothing fetches the module. */
const NEEDED = 'initSync';

/**
 * Keeps of the glue what is needed.
 *
 * @param {string} from
 * @param {string} to
 * @param {Import[]} imports
 */
export async function writeGlue(from, to, imports) {
  const { build } = await import('esbuild');
  await build({
    stdin: { contents: `export { ${NEEDED} } from ${JSON.stringify(from)};`, resolveDir: root },
    outfile: to,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    plugins: [
      {
        name: 'bridge',
        setup: (glue) => glue.onResolve({ filter: /^\.\// }, ({ path }) => ({ path, external: true })),
      },
    ],
    logLevel: 'error',
  });
  writeFileSync(to, shortened(readFileSync(to, 'utf8'), imports));
}

/**
 * A function that only passes its arguments on is left out: integers below 2^31, as all are that cross, need no `>>> 0`
 * to be what they are. What the module has imported from a file of the bridge without such a function is imported by its
 * name: a namespace is an object that bundlers have to keep, with all that is in it.
 *
 * @param {string} glue
 * @param {Import[]} imports
 */
function shortened(glue, imports) {
  const shorts = new Map(imports.map(({ name, short }) => [name, short]));
  const direct = imports.filter(({ file }) => !file.endsWith('_bg.js'));
  const named = direct.map(({ file, name }) => `import { ${name} } from ${JSON.stringify(file)};\n`);
  const listed = direct.map(({ name }) => `${name}: ${name},\n`);
  const whole = glue
    .replace('if (realloc === void 0) {', `if (realloc === void 0 || arg.length > ${SHORT}) {`)
    .replace(/^function initSync\([\s\S]*?^\}\n/m, () => INIT)
    .replace(PASSES_ON, (all, name, given, target, used) =>
      used.replaceAll(' >>> 0', '') === given ? `    ${name}: ${target}` : all,
    )
    .replace(/^import \* as .*\n/gm, '')
    .replace(/("\.\/\w+_bg\.js": \w+)(?:,\n.*: import\d+)*/, '$1')
    .replace(/(const import0 = \{\n.*__proto__: null,\n)/, (start) => start + listed.join(''))
    .replace(/"\.\/\w+_bg\.js"/, IMPORTS)
    .replace(/^ *(\w+)(?=: )/gm, (start, name) => start.replace(name, shorts.get(name) ?? name));
  return named.join('') + whole;
}
