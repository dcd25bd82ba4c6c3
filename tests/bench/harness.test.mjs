// @ts-check
/** The benchmark measures what it says, and finds out who does less. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { readArguments } from '../../bench/harness/arguments.mjs';
import { fillSections } from '../../bench/harness/page.mjs';
import { rowsOf, tableOf } from '../../bench/harness/report.mjs';
import { checkDone } from '../../bench/harness/rounds.mjs';
import { runWorkload } from '../../bench/harness/run.mjs';
import { rotated, summary } from '../../bench/harness/statistics.mjs';
import { workloads as all } from '../../bench/workloads/index.mjs';
import { attempt, root } from '../../scripts/process.mjs';
import { workloads as cheats } from './cheats.mjs';

const names = all.map(({ name }) => name);
const options = readArguments(['--quick'], names);
const file = join(tmpdir(), `jobwright-bench-${process.pid}.json`);
const page = `${file}.md`;
after(() => {
  for (const made of [file, page]) rmSync(made, { force: true });
});

/** @param {string} name @returns {import('../../bench/harness/run.mjs').Workload} */
const cheat = (name) => /** @type {any} */ (cheats.find((workload) => workload.name === name));

/** @param {string[]} args */
const bench = (args) => attempt(process.execPath, ['bench/main.mjs', '--quick', '--json', file, ...args]);

test('a few workloads run to their end, and the table and the file say the same', async () => {
  const chosen = ['lifecycle-sync', 'steps-10', 'plan-10000'];
  writeFileSync(page, '<!-- machine -->\n<!-- end of machine -->\n<!-- tables -->\n<!-- end of tables -->\n');
  const only = chosen.flatMap((name) => ['--only', name]);
  const { code, output } = await bench([...only, '--page', page]);
  assert.equal(code, 0, output);
  const { rows, node, packages } = JSON.parse(readFileSync(file, 'utf8'));
  assert.deepEqual([...new Set(rows.map(({ workload }) => workload))], chosen);
  assert.ok(output.includes(tableOf(rows)), 'the printed table is that of the rows in the file');
  const written = readFileSync(page, 'utf8');
  for (const name of chosen) {
    const own = tableOf(rows.filter(({ workload }) => workload === name));
    assert.ok(written.includes(`### \`${name}\``) && written.includes(own), written);
  }
  assert.ok(output.includes(`Node ${node}`) && output.includes(`xstate ${packages.xstate}`), output);
  const contenders = rows.filter(({ workload }) => workload === 'steps-10').map(({ contender }) => contender);
  assert.deepEqual(contenders, ['jobwright', 'plain', 'plain, JSON copies', 'xstate']);
  for (const row of rows) {
    assert.ok(row.figures.length > 0 && row.figures.every((/** @type {number} */ value) => value > 0), row);
    const of = summary(row.figures);
    assert.deepEqual({ median: row.median, min: row.min, max: row.max }, of);
    if (row.due === undefined) assert.equal(row.met, undefined);
    else assert.equal(row.met, (row.ratio ?? row.median) <= row.due, JSON.stringify(row));
  }
});

test('a name that is no workload is refused with those that are', async () => {
  const { code, output } = await bench(['--only', 'steps-10', '--only', 'stpes']);
  assert.equal(code, 1);
  assert.equal(output, `There is no workload stpes; there are ${names.join(', ')}\n`);
});

test('options that make no sense are refused', () => {
  for (const [args, sentence] of /** @type {[string[], RegExp][]} */ ([
    [['--repeats', '0'], /--repeats must be a whole number from 1; found 0/],
    [['--repeats', 'many'], /found many/],
    [['--peer'], /--peer[\s\S]*Usage: npm run bench/],
    [['steps-10'], /steps-10[\s\S]*Usage: npm run bench/],
  ])) {
    assert.throws(() => readArguments(args, names), sentence);
  }
  assert.equal(readArguments([], names).repeats, 7);
});

test('a contender that does the work is measured', async () => {
  const found = await runWorkload(cheat('plain'), options);
  assert.equal(found.get('plain')?.step?.length, 1);
});

const cheating = [
  'skips an agent',
  'calls an agent twice',
  'forgets an output',
  'tells nobody',
  'keeps less history',
  'stores less than it says',
];
for (const name of cheating) {
  test(`a contender that ${name} is found out`, async () => {
    const pattern = new RegExp(`${name} did not do the work: it did .* instead of `);
    await assert.rejects(runWorkload(cheat(name), options), pattern);
  });
}

test('less work, more work and other work are errors; the same is not', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (found, expected) => {
      const same = JSON.stringify(found) === JSON.stringify(expected);
      const check = () => checkDone('it', found, expected);
      if (same) check();
      else if (JSON.stringify(sorted(found)) !== JSON.stringify(sorted(expected))) assert.throws(check);
    }),
  );
});

/** With its keys in order. @param {any} value @returns {any} */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.keys(value)
    .sort()
    .map((key) => [key, sorted(value[key])]);
}

test('each contender is measured as often, and another one first each time', async () => {
  const found = await runWorkload(cheat('order'), { ...options, repeats: 3 });
  const at = [...found].flatMap(([contender, { at: times = [] }]) =>
    times.map((time) => /** @type {const} */ ([time, contender])),
  );
  const order = at.sort(([a], [b]) => a - b).map(([, contender]) => contender);
  const [a, b, c] = ['jobwright', 'plain', 'other'];
  assert.deepEqual(order, [a, b, c, b, c, a, c, a, b]);
});

test('rows say how many times as long the package takes, what is due, and whether that is met', () => {
  const workload = cheat('order');
  const measured = new Map([
    ['jobwright', { time: [3] }],
    ['plain', { time: [2] }],
    ['other', { time: [1] }],
  ]);
  const rows = rowsOf(workload, measured);
  const seen = rows.map(({ contender, ratio, due, met }) => ({ contender, ratio, due, met }));
  assert.deepEqual(seen, [
    { contender: 'jobwright', ratio: undefined, due: undefined, met: undefined },
    { contender: 'plain', ratio: 1.5, due: 2, met: true },
    { contender: 'other', ratio: 3, due: undefined, met: undefined },
  ]);
  const verdict = (/** @type {import('../../bench/harness/run.mjs').Due} */ due) =>
    rowsOf({ ...workload, due: [due] }, measured)
      .filter(({ met }) => met !== undefined)
      .map(({ contender, met }) => `${contender} ${met}`);
  assert.deepEqual(verdict({ against: 'plain', atMost: 1.4 }), ['plain false']);
  assert.deepEqual(verdict({ against: 'libraries', atMost: 3 }), ['other true']);
  assert.deepEqual(verdict({ atMost: 2.9 }), ['jobwright false']);
  assert.deepEqual(verdict({ over: 'time', atMost: 1 }), ['jobwright true']);
});

test('a median has as many figures below it as above', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const { median, min, max } = summary(values);
      const below = values.filter((value) => value < median).length;
      const above = values.filter((value) => value > median).length;
      assert.ok(below <= values.length / 2 && above <= values.length / 2);
      assert.ok(values.every((value) => value >= min && value <= max));
      assert.ok(values.includes(min) && values.includes(max));
    }),
  );
});

test('who is rotated stays the same, and each is the first in turn', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer(), { minLength: 1 }), fc.nat(100), (items, turn) => {
      assert.equal(rotated(items, turn)[0], items[turn % items.length]);
      assert.deepEqual(rotated(items, turn).toSorted(), items.toSorted());
    }),
  );
});

test('every workload has a name of its own, sizes for a quick try, and dues that are about something', () => {
  assert.equal(new Set(names).size, names.length);
  for (const { name, metrics, contenders, peers = [], due } of all) {
    assert.equal(contenders[0], 'jobwright', name);
    for (const { metric, against, over } of due) {
      for (const named of [metric, over])
        assert.ok(named === undefined || named in metrics, `${name}: ${named}`);
      const known = [...contenders, ...peers, 'libraries', undefined];
      assert.ok(known.includes(against), `${name}: ${against}`);
    }
  }
});

test('what was measured again takes its place on the page, and the rest stays', () => {
  const empty = 'a\n<!-- tables -->\n<!-- end of tables -->\nb\n';
  const order = ['one', 'two', 'three'];
  const first = fillSections(
    empty,
    'tables',
    new Map(Object.entries({ three: 'C', one: 'A\n\n| t |' })),
    order,
  );
  const second = fillSections(first, 'tables', new Map(Object.entries({ two: 'B', three: 'D' })), order);
  const sections = '### `one`\n\nA\n\n| t |\n\n### `two`\n\nB\n\n### `three`\n\nD';
  assert.equal(second, `a\n<!-- tables -->\n\n${sections}\n\n<!-- end of tables -->\nb\n`);
  assert.throws(() => fillSections('a', 'tables', new Map(), order), /has no part <!-- tables -->/);
});

test('the page on the benchmark names every workload', () => {
  const text = readFileSync(join(root, 'bench/README.md'), 'utf8');
  const missing = names.filter((name) => !text.includes(`\`${name}\``));
  assert.deepEqual(missing, []);
});
