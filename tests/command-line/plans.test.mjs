// @ts-check
/** `validate`, `simulate` and `graph`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { importPackage, modulesDir } from '../package/installed.mjs';
import { plans } from '../plans/generate.mjs';
import { EXIT, LIMIT, makePlace } from './support.mjs';

const { planToSvg } = await import(pathToFileURL(join(modulesDir, 'command-line/svg.js')).href);

const PLAN = {
  name: 'offer',
  steps: [
    { id: 'draft', agent: 'writer', cost: 3, retry: { maxAttempts: 2 } },
    { id: 'ok', approve: {}, when: { var: 'ask' } },
    { id: 'post', agent: 'mailer', tools: ['send'] },
  ],
};

test('validate names everything that is wrong', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', PLAN);
  place.put('wrong.json', {
    steps: [
      { id: 'a', agent: 'x', after: ['z'] },
      { id: 'a', agent: 1 },
    ],
  });
  place.put('torn.json', '{');
  const good = await place.run(['validate', 'plan.json']);
  assert.deepEqual([good.code, good.stdout], [EXIT.ok, 'plan.json: no problems\n']);
  const wrong = await place.run(['validate', 'wrong.json']);
  assert.equal(wrong.code, EXIT.check);
  assert.match(wrong.stdout, /^wrong\.json: steps\[0\]\.after\[0\]: .+\nwrong\.json: steps\[1\]\.id: /);
  const torn = await place.run(['validate', 'torn.json', '--json']);
  assert.equal(torn.code, EXIT.check);
  assert.equal(JSON.parse(torn.stdout).valid, false);
  assert.equal((await place.run(['validate', 'absent.json'])).code, EXIT.usage);
});

test('simulate says what a plan takes, and what is refused', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', PLAN);
  const refused = await place.run(['simulate', 'plan.json']);
  assert.equal(refused.code, EXIT.check);
  assert.match(refused.stdout, /1 step would be refused or never run:\n {2}post: .+\[tools_denied\]\n$/);
  const allowed = await place.run(['simulate', 'plan.json', '--allow-tools']);
  assert.deepEqual(
    [allowed.code, allowed.stdout],
    [EXIT.ok, 'Steps      2\nCost       3 to 6\nApprovals  ok\n'],
  );
  const poor = await place.run(['simulate', 'plan.json', '--allow-tools', '--budget', '2', '--json']);
  assert.equal(poor.code, EXIT.check);
  assert.equal(JSON.parse(poor.stdout).refused[0].code, 'budget_exceeded');
  const wrong = await place.run(['simulate', 'plan.json', '--budget', 'much']);
  assert.match(wrong.stderr, /--budget: expected a number of at least 0; found "much"/);
});

test('graph prints what planToMermaid does, or SVG, into a file where one is named', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', PLAN);
  const { planToMermaid } = await importPackage();
  assert.equal((await place.run(['graph', 'plan.json'])).stdout, planToMermaid(PLAN));
  const written = await place.run(['graph', 'plan.json', '--svg', '--out', 'plan.svg']);
  assert.deepEqual([written.code, written.stdout], [EXIT.ok, 'Wrote plan.svg.\n']);
  const svg = readFileSync(join(place.folder, 'plan.svg'), 'utf8');
  assert.equal(svg, planToSvg(PLAN));
  const asJson = await place.run(['graph', 'plan.json', '--svg', '--json']);
  assert.deepEqual(JSON.parse(asJson.stdout), { svg });
  for (const args of [['graph'], ['graph', 'plan.json', '--out', 'no/such/folder.svg']]) {
    assert.equal((await place.run(args)).code, EXIT.usage);
  }
});

test('graph --job colours the steps by their status', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', {
    steps: [
      { id: 'a', agent: 'greet' },
      { id: 'b', approve: {} },
      { id: 'c', agent: 'greet' },
    ],
  });
  await place.stored('run', 'plan.json', '--agents', 'agents.mjs', '--id', 'job-1');
  const mermaid = await place.stored('graph', '--job', 'job-1');
  assert.match(mermaid.stdout, /class s0 done\n/);
  const { stdout } = await place.stored('graph', '--job', 'job-1', '--svg');
  for (const title of ['a, done', 'b, waiting', 'c, pending'])
    assert.ok(stdout.includes(`<title>${title}</title>`), title);
});

/** Every element closed, in order; nothing but elements and text. @param {string} svg */
function assertWellFormed(svg) {
  const open = [];
  const rest = svg.replace(/<(\/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?)>/g, (_, end, name, __, empty) => {
    if (end) assert.equal(open.pop(), name);
    else if (!empty) open.push(name);
    return '';
  });
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest, /[<>]|&(?!(amp|lt|gt|quot|apos);)/);
}

test('any plan is drawn as well-formed SVG, without a word that is read as markup', () => {
  fc.assert(
    fc.property(plans(), (plan) => {
      assertWellFormed(planToSvg({ steps: [{ id: 'outer', job: { plan } }, ...plan.steps] }));
    }),
  );
});

test('boxes never overlap, and each stands below those that it comes after', () => {
  fc.assert(
    fc.property(plans(), (plan) => {
      const svg = planToSvg(plan);
      const boxes = [
        ...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g),
      ].map((found) => found.slice(1).map(Number));
      assert.ok(boxes.length >= plan.steps.length);
      for (const [index, [x = 0, y = 0, width = 0, height = 0]] of boxes.entries()) {
        for (const [otherX = 0, otherY = 0, otherWidth = 0, otherHeight = 0] of boxes.slice(index + 1)) {
          const isWithin =
            otherX >= x &&
            otherX + otherWidth <= x + width &&
            otherY >= y &&
            otherY + otherHeight <= y + height;
          if (isWithin) continue;
          const apart =
            x + width <= otherX ||
            otherX + otherWidth <= x ||
            y + height <= otherY ||
            otherY + otherHeight <= y;
          assert.ok(apart, 'two boxes overlap');
        }
      }
      for (const [, start, end] of svg.matchAll(/<path d="M[\d.]+ ([\d.]+)C.* ([\d.]+)" fill/g)) {
        assert.ok(Number(start) < Number(end), 'an arrow points up');
      }
    }),
  );
});

test('two thousand steps are drawn in a moment', () => {
  const steps = Array.from({ length: 2_000 }, (_, index) => ({ id: `s${index}`, agent: 'a' }));
  const begin = performance.now();
  assertWellFormed(planToSvg({ steps }));
  assertWellFormed(
    planToSvg({ steps: steps.map((step, index) => ({ ...step, after: index === 0 ? [] : ['s0'] })) }),
  );
  // Backwards, which is the most work for what ranks them.
  const backwards = steps.map((step, index) => ({
    ...step,
    after: index === 1_999 ? [] : [`s${index + 1}`],
  }));
  assertWellFormed(planToSvg({ steps: backwards }));
  assert.ok(performance.now() - begin < 20_000);
});
