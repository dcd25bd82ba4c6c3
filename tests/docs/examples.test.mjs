// @ts-check
/** The page on the examples: it shows the plans that are in the files, as they are drawn, and what the commands print. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/process.mjs';
import { importPackage } from '../package/installed.mjs';

const page = readFileSync(join(root, 'docs/examples.md'), 'utf8');
const { planToMermaid } = await importPackage();

/** The code block after each line `<!-- kind: name -->`, by name. @param {string} kind */
function shown(kind) {
  const marked = new RegExp(`^<!-- ${kind}: (\\S+) -->\\s*^\`\`\`\\w*\\n([\\s\\S]*?)^\`\`\`\\s*$`, 'gm');
  return new Map([...page.matchAll(marked)].map(([, name, text]) => [name, text]));
}

const elsewhere = mkdtempSync(join(tmpdir(), 'jobwright-docs-'));
after(() => rmSync(elsewhere, { recursive: true, force: true }));

/** Shown elsewhere: in the README, and in docs/rust.md. */
const ELSEWHERE = new Set(['license-audit', 'native']);

const names = readdirSync(join(root, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !ELSEWHERE.has(entry.name))
  .map(({ name }) => name);

for (const name of names) {
  const file = `${name}/plan.mjs`;

  test(`the page shows the plan of ${name} as it is in its file`, () => {
    assert.equal(shown('file').get(file), readFileSync(join(root, 'examples', file), 'utf8'));
  });

  test(`the page shows the plan of ${name} as it is drawn`, async () => {
    const { plan } = await import(pathToFileURL(join(root, 'examples', file)).href);
    assert.equal(shown('drawing').get(name)?.trimEnd(), planToMermaid(plan).trimEnd());
  });

  test(`the page shows a command for ${name}`, () => {
    assert.match(page, new RegExp(`^\\$ node examples/${name}/main\\.mjs`, 'm'));
  });
}

for (const [, command, output] of page.matchAll(/^\$ (node .*)\n([\s\S]*?)^```$/gm)) {
  test(`${command} prints what the page says`, () => {
    // What it reads is in the repository, and what it writes is not.
    const args = command
      .split(' ')
      .slice(1)
      .map((arg) => (arg.startsWith('examples/') ? join(root, arg) : arg));
    const { stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: elsewhere,
      encoding: 'utf8',
      input: '',
    });
    assert.deepEqual([stdout, stderr], [output, '']);
  });
}
