// @ts-check
/** The page on plans: its plans are plans, it names every key, and its example runs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { root } from '../../scripts/process.mjs';
import { importPackage, pkgDir } from '../package/installed.mjs';
import { testExamples } from './run-examples.mjs';

const page = readFileSync(join(root, 'docs/plans.md'), 'utf8');
const schema = JSON.parse(readFileSync(join(pkgDir, 'plan.schema.json'), 'utf8'));
const accepts = new Ajv({ allowUnionTypes: true }).compile(schema);
const { validatePlan } = await importPackage();

/** Whole plans, and steps of one. */
const shown = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text]) => JSON.parse(text));
const plans = shown.map((part) => (part.steps ? part : { steps: [part] }));

testExamples('docs/plans.md');

test('the page shows every kind of step', () => {
  const kinds = ['agent', 'job', 'wait', 'approve'];
  const missing = kinds.filter(
    (kind) => !plans.some(({ steps }) => steps.some((/** @type {object} */ step) => kind in step)),
  );
  assert.deepEqual(missing, []);
});

for (const plan of plans) {
  test(`a plan of the page is one: ${JSON.stringify(plan).slice(0, 80)}`, () => {
    assert.ok(accepts(plan), JSON.stringify(accepts.errors));
    const { errors = [] } = validatePlan(plan);
    assert.deepEqual(errors, []);
  });
}

test('the page has a row for every key that a plan may have', () => {
  const rows = new Set([...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key));
  const keys = Object.values(schema.definitions).flatMap(({ properties = {} }) => Object.keys(properties));
  assert.deepEqual(
    keys.filter((key) => !rows.has(key)),
    [],
  );
});
