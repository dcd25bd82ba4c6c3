// @ts-check
/** The JSON Schema of plans that the package ships: what it says, and that it agrees with the engine. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { consumerDir, importPackage } from '../package/installed.mjs';
import { badPlans } from './bad-plans.mjs';
import { plans } from './generate.mjs';

const file = createRequire(join(consumerDir, 'package.json')).resolve('jobwright/plan.schema.json');
const schema = JSON.parse(readFileSync(file, 'utf8'));
const accepts = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(schema);
const { validatePlan } = await importPackage();

/**
 * Random plans that are right, and some that are wrong in one place.
 *
 * @type {fc.Arbitrary<any>}
 */
const damagedPlans = fc
  .tuple(
    plans(),
    fc.nat(),
    fc.constantFrom('', '__proto__', ...keysOf(schema)),
    fc.jsonValue({ maxDepth: 1 }),
  )
  .map(([plan, at, key, value]) => {
    /** @type {any[]} */
    const objects = [];
    // No expressions: the schema does not look into them.
    JSON.stringify(plan, (name, part) => {
      if (['when', 'input', 'forEach', 'until', 'context'].includes(name)) return undefined;
      if (part instanceof Object && !Array.isArray(part)) objects.push(part);
      return part;
    });
    // Defined, because assigning to `__proto__` sets no key.
    Object.defineProperty(objects[at % objects.length], key, { value, enumerable: true, configurable: true });
    return plan;
  });

/**
 * @param {any} value
 * @returns {string[]}
 */
function keysOf({ definitions }) {
  return Object.values(definitions).flatMap(({ properties = {} }) => Object.keys(properties));
}

/** @param {{ path: string, message: string }[]} errors */
const shown = (errors) => errors.map(({ path, message }) => `${path}: ${message}`).join('\n');

test('every key has a description and, where it is no list of further keys, an example', () => {
  for (const [name, { properties = {}, description }] of Object.entries(schema.definitions)) {
    if (!name.startsWith('Partial')) assert.ok(description, `${name} is not described`);
    for (const [key, property] of Object.entries(properties)) {
      assert.ok(property.description, `${name}.${key} is not described`);
      const further = property.$ref && property.$ref !== '#/definitions/JsonLogic';
      assert.ok(further || property.examples || name === 'JsonLogic', `${name}.${key} has no example`);
    }
  }
});

test('no object has other keys', () => {
  let objects = 0;
  JSON.stringify(schema, (_, part) => {
    if (part?.type === 'object') {
      objects += 1;
      assert.equal(part.additionalProperties, false, JSON.stringify(part).slice(0, 200));
    }
    return part;
  });
  assert.ok(objects >= 8, `${objects} objects`);
});

test('the examples in the schema are accepted by it', () => {
  const { Plan, Step } = schema.definitions;
  for (const plan of [
    ...Plan.examples,
    ...Plan.properties.steps.examples.map((/** @type {any} */ steps) => ({ steps })),
  ]) {
    assert.ok(accepts(plan), JSON.stringify(accepts.errors));
  }
  const whole = { ...Step.properties };
  for (const kind of ['job', 'wait', 'approve']) delete whole[kind];
  for (const [key, property] of Object.entries(whole)) {
    for (const example of property.examples ?? []) {
      const plan = { steps: [{ id: 'a', agent: 'x', [key]: example }] };
      assert.ok(accepts(plan), `${key}: ${JSON.stringify(accepts.errors)}`);
    }
  }
  for (const kind of ['job', 'wait', 'approve']) {
    for (const example of Step.properties[kind].examples) {
      assert.ok(accepts({ steps: [{ id: 'a', [kind]: example }] }), JSON.stringify(accepts.errors));
    }
  }
});

test('plans without problems are accepted by the schema and by the engine', () => {
  fc.assert(
    fc.property(plans(), (plan) => {
      assert.ok(accepts(plan), JSON.stringify(accepts.errors));
      assert.equal(shown(validatePlan(plan).errors ?? []), '');
    }),
    { numRuns: 500 },
  );
});

test('what the schema refuses, the engine refuses', () => {
  let refused = 0;
  fc.assert(
    fc.property(damagedPlans, (plan) => {
      if (accepts(plan)) return;
      refused += 1;
      assert.equal(validatePlan(plan).success, false, JSON.stringify(accepts.errors));
    }),
    { numRuns: 2_000 },
  );
  assert.ok(refused > 200, `only ${refused} plans were refused`);
});

for (const [why, plan] of badPlans) {
  test(`refused: ${why}, as in ${JSON.stringify(plan).slice(0, 90)}`, () => {
    assert.equal(accepts(plan), false);
    assert.equal(validatePlan(plan).success, false);
  });
}
