// @ts-check
/** What `planToMermaid` writes and refuses. That mermaid reads it is tested in a browser. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import fc from 'fast-check';
import { consumerDir, importPackage } from '../package/installed.mjs';
import { anyName, plans } from './generate.mjs';

const { planToMermaid, JobwrightError } = await importPackage();

/** @param {string} message */
const refused = (message) => (/** @type {any} */ error) => {
  assert.ok(error instanceof JobwrightError, String(error));
  assert.equal(error.code, 'invalid_argument');
  assert.equal(error.message, message);
  return true;
};

/** @param {...string} lines */
const drawing = (...lines) => `${lines.join('\n')}\n`;

/** @param {Record<string, unknown>} more */
const labelOf = (more) => /"(.*)"/.exec(planToMermaid({ steps: [{ id: 'a', ...more }] }))?.[1];

test('steps come after each other, after several, or after none', () => {
  const plan = {
    steps: [
      { id: 'draft', agent: 'writer' },
      { id: 'figures', agent: 'artist', after: [] },
      { id: 'join', agent: 'editor', after: ['draft', 'figures'], when: { var: 'draft' } },
      { id: 'publish', approve: {} },
    ],
  };
  assert.equal(
    planToMermaid(plan),
    drawing(
      'flowchart TD',
      '  s0["draft<br/>writer"]',
      '  s1["figures<br/>artist"]',
      '  s2["join<br/>editor<br/>when draft"]',
      '  s3{{"publish<br/>approve"}}',
      '  s0 -.-> s2',
      '  s1 -.-> s2',
      '  s2 --> s3',
    ),
  );
});

test('a child plan is a box, and a job colours its own steps', () => {
  const child = {
    name: 'pack',
    steps: [
      { id: 'wrap', agent: 'wrap' },
      { id: 'tape', agent: 'tape' },
    ],
  };
  const plan = {
    steps: [
      { id: 'buy', agent: 'buy' },
      { id: 'box', job: { plan: child } },
      { id: 'wait', wait: { ms: 90_000 } },
    ],
  };
  const job = { run: { steps: { buy: { status: 'done' }, box: { status: 'running' } } } };
  assert.equal(
    planToMermaid(plan, job),
    drawing(
      'flowchart TD',
      '  s0["buy<br/>done"]',
      '  subgraph s1["box, job pack, running"]',
      '  direction TB',
      '  s1_s0["wrap"]',
      '  s1_s1["tape"]',
      '  s1_s0 --> s1_s1',
      '  end',
      '  s2(["wait<br/>wait 90 s<br/>pending"])',
      '  s0 --> s1',
      '  s1 --> s2',
      '  classDef done fill:#bfb,stroke:#080,color:#222',
      '  class s0 done',
      '  classDef running fill:#bdf,stroke:#06c,color:#222',
      '  class s1 running',
      '  classDef pending fill:#eee,stroke:#888,color:#222',
      '  class s2 pending',
    ),
  );
});

test('what is special about a step is said in words', () => {
  for (const [more, label] of /** @type {[Record<string, unknown>, string][]} */ ([
    [
      { agent: 'x', approval: true, breakpoint: true, onError: 'continue' },
      'x<br/>needs approval<br/>breakpoint<br/>on error continue',
    ],
    [{ agent: 'x', approval: false, breakpoint: false }, 'x'],
    [{ agent: 'x', forEach: { var: 'files' } }, 'x<br/>for each of files'],
    [{ agent: 'x', repeat: { until: { var: 'ok' }, max: 3 } }, 'x<br/>repeat until ok<br/>at most 3 times'],
    [{ wait: { ms: 259_200_000 } }, 'wait 3 d'],
    [{ wait: { ms: 1_500 } }, 'wait 1500 ms'],
    [{ wait: { ms: 0 } }, 'wait 0 ms'],
    [{ wait: { signal: 'paid' } }, 'wait for paid'],
    [{ wait: { signal: ['paid', 'lost'], timeoutMs: 3_600_000 } }, 'wait for paid or lost<br/>at most 1 h'],
    [{ approve: { message: 'Publish it?' } }, 'approve Publish it?'],
    [{ job: { plan: { name: 'pack', steps: [] } } }, 'job pack'],
  ])) {
    assert.equal(labelOf(more), `a<br/>${label}`);
  }
});

test('rules are written as people write them', () => {
  const draft = { var: 'draft.score' };
  for (const [rule, text] of /** @type {[unknown, string][]} */ ([
    [{ '>': [draft, 8] }, 'draft.score > 8'],
    [{ and: [draft, { '<': [1, { '+': [{ var: 'n' }, 1] }, 9] }] }, 'draft.score and (1 < (n + 1) < 9)'],
    [{ '!': draft }, '!(draft.score)'],
    [{ '!': [draft] }, '!(draft.score)'],
    [{ in: ['a', { val: ['list', 0] }] }, '"a" in list.0'],
    [{ if: [draft, [1, null], {}] }, 'if(draft.score, [1, null], {})'],
    [{ var: '' }, 'context'],
    [{ var: [{ var: 'key' }, 5] }, 'var(key, 5)'],
    [{ cat: [] }, 'cat()'],
    [{ a: 1, b: draft }, '{"a":1,"b":{"var":"draft.score"}}'],
    [false, 'false'],
    [null, 'null'],
  ])) {
    const label = labelOf({ agent: 'a', when: rule })?.replace(/#(\d+);/g, (_, code) =>
      String.fromCodePoint(Number(code)),
    );
    assert.equal(label, `a<br/>when ${text}`);
  }
});

test('no text is taken for anything else', () => {
  const quoted = /^ {2}s0\["(?:[\p{L}\p{M}\p{N} ,/?'_-]|#\d+;|<br\/>)+"\]$/u;
  fc.assert(
    fc.property(anyName, anyName, (id, agent) => {
      const [, line, ...others] = planToMermaid({ steps: [{ id, agent }] })
        .trimEnd()
        .split('\n');
      assert.match(line, quoted);
      assert.ok(line.length < 1_000);
      assert.deepEqual(others, []);
    }),
  );
});

test('the same plan is drawn the same, whatever its steps are called', () => {
  const shape = (/** @type {string} */ text) => text.replace(/"[^"]*"/g, '');
  fc.assert(
    fc.property(plans(anyName, 0), (plan) => {
      const numbers = new Map(
        plan.steps.map((/** @type {any} */ { id }, /** @type {number} */ n) => [id, `n${n}`]),
      );
      const renamed = plan.steps.map((/** @type {any} */ { id, after, ...step }) => ({
        ...step,
        id: numbers.get(id),
        ...(after && { after: after.map((/** @type {string} */ other) => numbers.get(other)) }),
      }));
      assert.equal(shape(planToMermaid(plan)), shape(planToMermaid({ steps: renamed })));
    }),
  );
});

test('names of JavaScript objects have no progress that was not given', () => {
  const steps = ['__proto__', 'constructor', 'toString'].map((id) => ({ id, agent: 'x' }));
  const text = planToMermaid(
    { steps },
    { run: { steps: JSON.parse('{ "__proto__": { "status": "done" } }') } },
  );
  assert.match(text, /class s0 done\n/);
  assert.match(text, /class s1,s2 pending\n/);
  assert.match(planToMermaid({ steps }, { status: 'created' }), /class s0,s1,s2 pending\n/);
});

test('what can not be drawn is refused, with its place and what was found', () => {
  const a = { id: 'a', agent: 'x' };
  for (const [plan, message] of /** @type {[unknown, string][]} */ ([
    [undefined, 'plan.steps: expected a list of steps; found undefined'],
    [null, 'plan.steps: expected a list of steps; found undefined'],
    [7, 'plan.steps: expected a list of steps; found undefined'],
    [{ steps: 'all' }, 'plan.steps: expected a list of steps; found "all"'],
    [{ steps: [null] }, 'plan.steps[0].id: expected a string that is not empty; found undefined'],
    [{ steps: [a, { id: '' }] }, 'plan.steps[1].id: expected a string that is not empty; found ""'],
    [{ steps: [a, { id: 5 }] }, 'plan.steps[1].id: expected a string that is not empty; found 5'],
    [{ steps: [a, a] }, 'plan.steps[1].id: expected an id that no step before it has; found "a"'],
    [{ steps: [{ ...a, after: 'b' }] }, 'plan.steps[0].after: expected a list of step ids; found "b"'],
    [
      { steps: [{ ...a, after: ['b'] }] },
      'plan.steps[0].after[0]: expected the id of a step of its plan; found "b"',
    ],
    [
      { steps: [{ id: 'j', job: { plan: { steps: [a, { id: 'k', job: { plan: { steps: 'all' } } }] } } }] },
      'plan.steps[0].job.plan.steps[1].job.plan.steps: expected a list of steps; found "all"',
    ],
    [{ steps: [{ ...a, when: () => true }] }, 'plan.steps[0].when: expected a JSON value, found a function'],
  ])) {
    assert.throws(() => planToMermaid(plan), refused(message));
  }
  const cycle = { steps: [a] };
  cycle.steps.push(/** @type {any} */ ({ id: 'b', job: { plan: cycle } }));
  assert.throws(
    () => planToMermaid(cycle),
    refused('plan.steps[1].job.plan: expected a JSON value, found a cycle'),
  );
});

test('what is no job is refused', () => {
  const plan = { steps: [{ id: 'a', agent: 'x' }] };
  for (const [job, message] of /** @type {[unknown, string][]} */ ([
    [null, 'job: expected a job; found null'],
    ['job-1', 'job: expected a job; found "job-1"'],
    [{ run: { steps: 5 } }, 'job.run.steps: expected the states of steps by id; found 5'],
    [
      { run: { steps: { a: { status: 'gone' } } } },
      'job.run.steps["a"].status: expected one of pending, waiting, running, done, failed, skipped; found "gone"',
    ],
    [
      { run: { steps: { a: null } } },
      'job.run.steps["a"].status: expected one of pending, waiting, running, done, failed, skipped; found undefined',
    ],
  ])) {
    assert.throws(() => planToMermaid(plan, job), refused(message));
  }
});

test('ten thousand steps are drawn in a moment', () => {
  const steps = Array.from({ length: 10_000 }, (_, n) => ({ id: `s${n}`, agent: 'x' }));
  const start = performance.now();
  const text = planToMermaid({ steps }, {});
  assert.ok(performance.now() - start < 2_000);
  assert.equal(text.split('\n').length, 1 + 10_000 + 9_999 + 2 + 1);
});

test('who does not draw loads nothing of it, and who only draws loads no engine', async () => {
  const [without, alone] = await Promise.all(
    [
      `import { createEventBus } from 'jobwright'; createEventBus();`,
      `export { planToMermaid } from 'jobwright';`,
    ].map(async (contents) => {
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: consumerDir },
        bundle: true,
        format: 'esm',
        write: false,
        logLevel: 'silent',
      });
      return outputFiles[0].text;
    }),
  );
  assert.ok(!without.includes('flowchart'));
  assert.ok(alone.includes('flowchart') && !alone.includes('WebAssembly'));
});
