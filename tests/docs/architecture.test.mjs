// @ts-check
/** The drawing in docs/architecture.md names the folders that there are, and no others. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../scripts/process.mjs';
import { drawnFolders, markedExamples } from './markdown.mjs';

/** Drawn as far down as these; what is below them may be drawn too. */
const drawn = ['src', 'pkg-template', 'tests', 'examples', 'scripts', 'tools'];

/** @param {string} folder */
function foldersIn(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map((entry) => `${folder}/${entry.name}`);
}

/** @param {string} page */
function drawingOf(page) {
  const drawing = /^<!-- drawing: folders -->\s*^```\w*\n([\s\S]*?)^```\s*$/m.exec(page);
  assert.ok(drawing, 'no code block follows a line <!-- drawing: folders -->');
  return drawnFolders(drawing[1]);
}

test('the drawing names every folder', () => {
  const found = new Set(drawingOf(readFileSync(join(root, 'docs/architecture.md'), 'utf8')));
  const missing = [...drawn, ...drawn.flatMap(foldersIn)].filter((folder) => !found.has(folder));
  assert.deepEqual(missing, []);
});

test('the drawing names no folder that is not there', () => {
  const found = drawingOf(readFileSync(join(root, 'docs/architecture.md'), 'utf8'));
  const gone = found.filter((folder) => {
    try {
      return readdirSync(join(root, folder)) === undefined;
    } catch {
      return true;
    }
  });
  assert.deepEqual(gone, []);
});

test('a drawing is read by its indentation', () => {
  const drawing =
    'src/\n├── core/   decisions\n│   └── plan/\n└── wasm/   bridge\npkg-template/ package\n    index.js  not a folder\n';
  assert.deepEqual(drawnFolders(drawing), ['pkg-template', 'src', 'src/core', 'src/core/plan', 'src/wasm']);
});

test('examples are read with what they print', () => {
  const page =
    '<!-- example: run -->\n```js\na();\n```\n\n<!-- example: prints -->\n```\n1\n```\n\n```js\nno();\n```\n';
  assert.deepEqual(markedExamples(page), [{ code: 'a();\n', output: '1\n' }]);
});
