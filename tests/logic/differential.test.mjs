// @ts-check
/**
 * The Rust engine against npm's json-logic-engine, over random rules and data: they agree in everything but the
 * differences that are listed and argued.
 *
 * JOBWRIGHT_RULES=1000000 compares more of them, JOBWRIGHT_SEED=5 compares others.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { root } from '../../scripts/process.mjs';
import { filesUnder } from '../../scripts/setup/hash.mjs';
import { createRandom } from '../differential/random.mjs';
import { DIFFERENCES } from './differences/index.mjs';
import { randomData, randomRule } from './generate.mjs';
import { buildNative, evaluateNatively } from './native.mjs';
import { agree, createReference } from './reference.mjs';
import { shrink } from './shrink.mjs';

/** @typedef {import('./native.mjs').Case} Case */
/** @typedef {(given: Case) => import('./native.mjs').Outcome} Reference */

const RULES = Number(process.env.JOBWRIGHT_RULES ?? 100_000);
const SEED = Number(process.env.JOBWRIGHT_SEED ?? 1);
/** Of so many, each difference has to decide some, and all operators have to be met. */
const SAMPLE = 20_000;
const BATCH = 10_000;
const OPERATORS = [
  ...[
    'var',
    'val',
    'exists',
    'missing',
    'missing_some',
    'if',
    '?:',
    'and',
    'or',
    '??',
    'try',
    'throw',
    'preserve',
    'log',
  ],
  ...[
    '!',
    '!!',
    '==',
    '!=',
    '===',
    '!==',
    '<',
    '<=',
    '>',
    '>=',
    '+',
    '-',
    '*',
    '/',
    '%',
    'max',
    'min',
    'cat',
    'substr',
  ],
  ...['in', 'merge', 'map', 'filter', 'reduce', 'all', 'none', 'some'],
];

const asItComes = createReference([]);
const argued = createReference(DIFFERENCES);

/** @param {number} seed @param {number} count @returns {Case[]} */
function randomCases(seed, count) {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => ({ rule: randomRule(random), data: randomData(random) }));
}

/** What the smallest case like this one is, and how it can be made again. @param {Case} found @param {Reference} reference */
function report(found, reference) {
  const differs = (/** @type {Case[]} */ cases) => {
    const outcomes = evaluateNatively(cases);
    return cases.map((given, at) => !('compile' in outcomes[at]) && !agree(reference(given), outcomes[at]));
  };
  const smallest = shrink(found, differs);
  const show = (/** @type {unknown} */ value) => JSON.stringify(value);
  return [
    `JOBWRIGHT_SEED=${SEED} found ${show(found)}, which comes down to`,
    `rule: ${show(smallest.rule)}`,
    `data: ${show(smallest.data)}`,
    `jobwright: ${show(evaluateNatively([smallest])[0])}`,
    `json-logic-engine, with the differences: ${show(reference(smallest))}`,
  ].join('\n');
}

before(buildNative);

test(`${RULES} random rules agree`, { timeout: 600_000 }, (t) => {
  let alike = 0;
  for (let at = 0; at * BATCH < RULES; at++) {
    const cases = randomCases(SEED * 100_000 + at, Math.min(BATCH, RULES - at * BATCH));
    const outcomes = evaluateNatively(cases);
    for (const [index, given] of cases.entries()) {
      if (!agree(argued(given), outcomes[index])) assert.fail(report(given, argued));
      if (agree(asItComes(given), outcomes[index])) alike += 1;
    }
  }
  t.diagnostic(`seed ${SEED}: ${alike} of ${RULES} agree without any of the differences`);
  assert.ok(alike > RULES * 0.8, `only ${alike} of ${RULES} agree without any of the differences`);
});

test('of random rules, each operator is in many and each difference decides some', (t) => {
  const cases = randomCases(SEED, SAMPLE);
  const outcomes = evaluateNatively(cases);
  const text = JSON.stringify(cases.map(({ rule }) => rule));
  for (const operator of OPERATORS) {
    const count = text.split(`{${JSON.stringify(operator)}:`).length - 1;
    assert.ok(count > SAMPLE / 200, `only ${count} of ${SAMPLE} rules have "${operator}"`);
  }
  for (const difference of DIFFERENCES) {
    const others = createReference(DIFFERENCES.filter((other) => other !== difference));
    const decided = cases.filter((given, at) => !agree(others(given), outcomes[at])).length;
    t.diagnostic(`${decided} of ${SAMPLE}: ${difference.name}`);
    assert.ok(decided > 0, `no random rule is decided by this: ${difference.name}`);
  }
});

for (const { name, argument, examples } of DIFFERENCES) {
  test(`still different: ${name}`, () => {
    assert.match(argument, /\.$/);
    assert.ok(examples.length > 0);
    for (const { rule, data = null, here, there } of examples) {
      const given = { rule, data };
      assert.ok(!agree(here, there), `not different: ${JSON.stringify(rule)}`);
      assert.deepEqual(asItComes(given), there, `json-logic-engine: ${JSON.stringify(rule)}`);
      assert.deepEqual(evaluateNatively([given]), [here], `jobwright: ${JSON.stringify(rule)}`);
      assert.deepEqual(
        argued(given),
        here,
        `json-logic-engine, with the differences: ${JSON.stringify(rule)}`,
      );
    }
  });
}

test('the page on expressions lists the differences', () => {
  const page = readFileSync(join(root, 'docs/expressions.md'), 'utf8');
  const rows = DIFFERENCES.map(({ name, argument }) => `| ${name} | ${argument} |\n`);
  assert.ok(page.endsWith(`| here | why |\n| --- | --- |\n${rows.join('')}`), rows.join(''));
});

test('a disagreement is reported by a small rule', () => {
  const broken = (/** @type {Case} */ given) =>
    JSON.stringify(given.rule).includes('"max"') ? { value: 'broken' } : argued(given);
  const found = {
    rule: { if: [true, { cat: ['a', { max: [{ var: 'n' }, 2, 3] }] }, 1] },
    data: { n: [1], s: 'x' },
  };
  assert.match(report(found, broken), /^rule: \{"max":\S{1,9}\}\ndata: \S{1,4}$/m);
});

test("told of the differences, json-logic-engine passes the community's suites as they are passed here", () => {
  const folder = '../shared/jsonlogic';
  const files = filesUnder(root, folder).filter((file) => file.endsWith('.json'));
  const suites = files.flatMap((file) => JSON.parse(readFileSync(join(root, file), 'utf8')));
  const cases = suites.filter((entry) => typeof entry === 'object');
  assert.ok(cases.length > 0, `the community's JSON Logic suites are missing: ${join(root, folder)}`);
  for (const { description, rule, data = null, ...expected } of cases) {
    const outcome = 'error' in expected ? { error: expected.error } : { value: expected.result };
    assert.deepEqual(argued({ rule, data }), outcome, description);
  }
});
