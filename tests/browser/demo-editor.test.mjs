// @ts-check
/** The editor of new jobs: it completes, explains, underlines, and says what to expect. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openDemo, shoot, type } from './demo-page.mjs';

const limit = { timeout: 120_000 };

/** @type {import('./demo-page.mjs').Demo} */
let demo;
/** @type {{ page: import('playwright-core').Page, problems: string[] }} */
let tab;

before(async () => {
  demo = await openDemo();
  tab = await demo.openPage('#/new');
  await tab.page.getByRole('textbox', { name: 'Plan, as JSON' }).waitFor();
}, limit);

after(() => demo?.close());

/** @param {string} text */
async function plan(text) {
  await type(tab.page, 'Plan, as JSON', text);
}

const options = () => tab.page.getByRole('listbox').getByRole('option');

/** @param {string} before what stands before the cursor @param {string} after */
async function completionsAt(before, after) {
  await plan(before + after);
  await tab.page.keyboard.press('ControlOrMeta+End');
  for (let i = 0; i < after.length; i++) await tab.page.keyboard.press('ArrowLeft');
  await tab.page.keyboard.press('Control+Space');
  await options().first().waitFor();
  const found = await options().allInnerTexts();
  await tab.page.keyboard.press('Escape');
  return found.map((text) => text.trim());
}

test('keys and values of plans are completed, but for those that are there', limit, async () => {
  const keys = await completionsAt('{"steps": [{"id": "a", ', '}]}');
  for (const key of ['agent', 'retry', 'forEach', 'timeoutMs']) assert.ok(keys.includes(key), keys.join());
  assert.ok(!keys.includes('id') && !keys.includes('steps'), keys.join());
  const retry = await completionsAt('{"steps": [{"id": "a", "retry": {', '}}]}');
  assert.deepEqual(retry.toSorted(), ['backoffMs', 'factor', 'jitter', 'maxAttempts', 'maxBackoffMs']);
  assert.deepEqual(await completionsAt('{"steps": [{"id": "a", "onError": ', '}]}'), [
    '"continue"',
    '"fail"',
  ]);
  const agents = await completionsAt('{"steps": [{"id": "a", "agent": ', '}]}');
  assert.ok(agents.includes('"echo"') && agents.includes('"sleeper"'), agents.join());
  const after = await completionsAt(
    '{"steps": [{"id": "a", "agent": "echo"}, {"id": "b", "after": [',
    ']}]}',
  );
  assert.deepEqual(after, ['"a"', '"b"']);
});

test('what is completed is put in', limit, async () => {
  await plan('');
  await tab.page.keyboard.type('{"st');
  await options().first().waitFor();
  // The list takes no keys in its first moments, so that nobody chooses what he has not seen.
  await options().first().click();
  const text = await tab.page.getByRole('textbox', { name: 'Plan, as JSON' }).textContent();
  assert.match(text ?? '', /^\{"steps": \[\]/);
});

test('a key is explained where the mouse is', limit, async () => {
  await plan('{"steps": [{"id": "a", "agent": "echo"}]}');
  await tab.page.getByText('"agent"', { exact: true }).hover();
  await tab.page.getByText('Runs the agent that has this name in the registry').waitFor();
  await tab.page.mouse.move(0, 0);
});

test('problems are underlined where they are, and listed, and nothing can be created', limit, async () => {
  const { page } = tab;
  await plan(
    '{"steps": [{"id": "a", "agent": "echo"}, {"id": "b", "agent": "echo", "after": ["a", "zzz"]}]}',
  );
  const underlined = page.locator('.cm-lintRange-error');
  await underlined.waitFor();
  assert.equal(await underlined.textContent(), '"zzz"');
  await page.getByLabel('What to expect').getByText('steps[1].after[1]').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Create and run' }).isDisabled(), true);
  await shoot(page, 'editor-problem');
  await plan('{"steps": [');
  await page.getByLabel('What to expect').getByText('Not JSON').waitFor();
  await underlined.or(page.locator('.cm-lintPoint-error')).first().waitFor();
});

test('a summary says what a plan takes, asks and is refused', limit, async () => {
  const { page, problems } = tab;
  const steps = [
    { id: 'cheap', agent: 'echo', cost: 2 },
    { id: 'maybe', agent: 'echo', cost: 5, when: { var: 'x' } },
    { id: 'ask', approve: {} },
    { id: 'tool', agent: 'echo', tools: ['search'] },
  ];
  await page.getByRole('radio', { name: /plan of your own/ }).check();
  await plan(JSON.stringify({ steps }));
  const summary = page.getByLabel('What to expect');
  await summary.getByText('2 to 7').waitFor();
  await summary.locator('dd', { hasText: 'ask' }).waitFor();
  await summary.getByText('tools_denied').waitFor();
  await page.getByLabel('Agents may call tools').check();
  await summary.getByText('tools_denied').waitFor({ state: 'hidden' });
  await page.getByLabel('Budget').fill('1');
  await summary.getByText('budget_exceeded').first().waitFor();
  await type(page, 'Context, as JSON', '[1]');
  await summary.getByText('context').waitFor();
  assert.deepEqual(problems, []);
});
