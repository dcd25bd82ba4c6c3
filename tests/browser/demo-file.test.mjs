// @ts-check
/** A run file opens on the page without a server, and says whether it verifies. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createJob, openDemo, shoot, waitForStatus } from './demo-page.mjs';

const limit = { timeout: 180_000 };
const folder = mkdtempSync(join(tmpdir(), 'jobwright-run-file-'));

/** @type {import('./demo-page.mjs').Demo} */
let demo;
/** @type {{ page: import('playwright-core').Page, problems: string[] }} */
let tab;
/** The text of a file that was exported by the page. */
let exported = '';

before(async () => {
  demo = await openDemo();
  tab = await demo.openPage();
  const { page } = tab;
  await createJob(page, /Fan-out/);
  await waitForStatus(page, 'completed', 120_000);
  await page.getByRole('button', { name: 'Export' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('checkbox').uncheck();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Download' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /\.run\.jsonl$/);
  const file = join(folder, 'good.jsonl');
  await download.saveAs(file);
  exported = readFileSync(file, 'utf8');
}, limit);

after(async () => {
  await demo?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** @param {string} name @param {string} text */
async function open(name, text) {
  const file = join(folder, name);
  writeFileSync(file, text);
  await tab.page.locator('input[type="file"]').setInputFiles(file);
}

/** Drops a file on the page, as a person does. @param {string} name @param {string} text */
async function drop(name, text) {
  const data = await tab.page.evaluateHandle(
    ([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      return transfer;
    },
    /** @type {[string, string]} */ ([name, text]),
  );
  await tab.page.dispatchEvent('body', 'dragover', { dataTransfer: data });
  await tab.page.dispatchEvent('body', 'drop', { dataTransfer: data });
}

test('a good file that is dropped anywhere verifies, and shows its job', limit, async () => {
  const { page, problems } = tab;
  await drop('good.jsonl', exported);
  const verdict = page.locator('[data-verdict="ok"]');
  await verdict.getByText(/Verifies: \d+ decisions/).waitFor();
  await page.getByText('good.jsonl').waitFor();
  await page.getByText('completed').nth(1).waitFor();
  assert.equal(
    await page.getByRole('button', { name: 'Cancel', exact: true }).count(),
    0,
    'it can only be looked at',
  );
  await shoot(page, 'run-file');
  assert.deepEqual(problems, []);
});

test('a file that was tampered with says where it first differs', limit, async () => {
  const { page, problems } = tab;
  const lines = exported.split('\n');
  const at = lines.findIndex((line) => line.includes('"report"') && line.includes('step_completed'));
  assert.ok(at > 0);
  lines[at] = /** @type {string} */ (lines[at]).replace(/"dead":\d+/, '"dead":500');
  await open('tampered.jsonl', lines.join('\n'));
  const verdict = page.locator('[data-verdict="differs"]');
  await verdict.getByText(`Differs first at line ${at}`).waitFor();
  await verdict.getByText('expected').waitFor();
  await verdict.getByText('actual').waitFor();
  await shoot(page, 'run-file-tampered');
  await page.getByRole('link', { name: 'Close it' }).click();
  await page.getByRole('table', { name: 'Jobs' }).waitFor();
  assert.deepEqual(problems, []);
});

test('what is no run file is refused in a sentence, and the page is as it was', limit, async () => {
  const { page, problems } = tab;
  for (const [name, text] of /** @type {const} */ ([
    ['picture.png', '\u0000\u0001<img src=x onerror=alert(1)>'],
    ['list.json', '[1, 2, 3]'],
    ['empty.jsonl', ''],
    ['huge-line.jsonl', `{"format": "other", "text": "${'x'.repeat(3_000_000)}"}`],
  ])) {
    await drop(name, text);
    await page.getByRole('alert').getByText(`${name} is no run file`).waitFor();
  }
  // The head alone, and lines that are none, are shown as far as they go.
  const [head] = exported.split('\n');
  await drop(
    'head.jsonl',
    `${head}\nnot json\n{"event": 5}\n{"event": {"seq": 1, "type": "<b>", "payload": null}}`,
  );
  await page.locator('[data-verdict="differs"]').waitFor();
  assert.deepEqual(problems, []);
});
