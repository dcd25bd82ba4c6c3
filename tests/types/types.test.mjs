// @ts-check
/** A consumer's project in strict TypeScript, compiled against the installed package. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attempt, root } from '../../scripts/process.mjs';
import { consumerDir, importPackage } from '../package/installed.mjs';

const sources = fileURLToPath(new URL('./consumer', import.meta.url));
const project = mkdtempSync(join(consumerDir, 'types-'));
after(() => rmSync(project, { recursive: true }));
cpSync(sources, project, { recursive: true });

/** @param {readonly string[]} names */
const union = (names) => names.map((name) => `'${name}'`).join(' | ');

/** What is declared and what is there: compiled only when the two are the same. */
async function writeSurface() {
  const exported = await importPackage('jobwright');
  const orchestrator = exported.createOrchestrator();
  writeFileSync(
    join(project, 'surface.ts'),
    `import type * as jobwright from 'jobwright';
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Named<T> = Extract<keyof T, string>;
export const exportsAgree: Same<Named<typeof jobwright>, ${union(Object.keys(exported))}> = true;
export const methodsAgree: Same<Named<jobwright.Orchestrator>, ${union(Object.keys(orchestrator))}> = true;
`,
  );
  await orchestrator.close();
}

/**
 * @param {string} name
 * @param {Record<string, unknown>} options
 * @param {string[]} [include]
 */
async function compile(name, options, include = ['*.ts']) {
  const config = `tsconfig.${name}.json`;
  const strict = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
  };
  const compilerOptions = { ...strict, lib: ['es2023', 'esnext.disposable'], types: ['node'], ...options };
  writeFileSync(join(project, config), JSON.stringify({ compilerOptions, include }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return attempt(process.execPath, [tsc, '--pretty', 'false', '--project', config], { cwd: project });
}

for (const [name, options] of Object.entries({
  nodenext: { module: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
  browser: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'esnext.disposable', 'dom'] },
})) {
  test(`a strict project compiles with ${name}`, async () => {
    await writeSurface();
    assert.deepEqual(await compile(name, options), { code: 0, output: '' });
  });
}

test('the declarations need no newer library than es2022, and in a page no types of Node', async () => {
  await writeSurface();
  const options = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'], types: [] };
  assert.deepEqual(await compile('plain', options, ['surface.ts']), { code: 0, output: '' });
});
