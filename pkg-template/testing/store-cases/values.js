// @ts-check
import { equal, ok, rejects } from '../expect.js';
import { createRandom } from '../random.js';
import { anyObject, anyValue } from './any-values.js';
import { AWKWARD_NAMES, change, event, head, job, method } from './samples.js';

/** Everything that JSON can hold and that has gone wrong somewhere. */
const VALUES = {
  numbers: [0, 1, -1, 0.1, 1e21, 5e-324, 1.7976931348623157e308, 9007199254740991, -9007199254740991],
  strings: ['', 'text', '\0', 'é', '🦀', '\ud800', '\u2028', '"\\/\b\f\n\r\t', '{"json":true}'],
  others: [true, false, null, [], {}, [[]], [{}], { a: { b: [{ c: null }] } }],
  date: '2024-01-01T00:00:00.000Z',
};

/** @param {number} depth */
function nested(depth) {
  /** @type {unknown} */
  let value = 'bottom';
  for (let i = 0; i < depth; i += 1) value = i % 2 === 0 ? [value] : { deeper: value };
  return value;
}

/** @returns {[string, unknown][]} what JSON can't hold, and would drop or change without a word */
function refused() {
  /** @type {Record<string, unknown>} */
  const cycle = {};
  cycle.self = { back: cycle };
  return [
    ['a function', () => {}],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a cycle', cycle],
    ['a Map', new Map()],
    ['a Set', new Set([1])],
    ['a typed array', new Uint8Array(2)],
    ['a Promise', Promise.resolve(1)],
    ['a RegExp', /x/],
  ];
}

/** @returns {Record<string, unknown>} */
function large() {
  const rows = Array.from({ length: 50_000 }, (_, i) => ({ i, text: 'x'.repeat(100) }));
  return { rows, text: 'é'.repeat(5_000_000) };
}

/** @param {import('./samples.js').Suite} suite */
export function valueCases({ test }) {
  test('a job that is not there is null', async (store) => {
    for (const id of ['missing', ...AWKWARD_NAMES]) {
      const found = await store.getJob(id);
      ok(found === null || found === undefined, `getJob(${JSON.stringify(id).slice(0, 40)}): expected null`);
    }
  });

  test('a job comes back as it went in', async (store) => {
    const whole = job('whole', {
      status: 'running',
      type: 'parent',
      config: { source_type: 'list', nested: { deep: [1, 2] } },
      parentId: 'somebody',
      timing: { created: 1, started: 2, completed: 3 },
      context: { ...VALUES, deep: nested(200) },
      history: [event('whole', 1, VALUES), event('whole', 2)],
      run: {
        schema: 1,
        revision: 7,
        seq: 2,
        stepsTaken: 1,
        plan: { steps: [{ id: 'a', agent: 'A' }] },
        steps: { a: { status: 'done', attempts: 1 } },
      },
    });
    await store.saveJob(whole);
    equal(await store.getJob('whole'), whole, 'job');
    await store.saveJob(job('bare'));
    equal(await store.getJob('bare'), job('bare'), 'job without run');
    equal(await store.getJob('whole'), whole, 'the first job');
  });

  test('saveJob replaces the whole job', async (store) => {
    const run = /** @type {const} */ ({ schema: 1, revision: 3, seq: 1 });
    const steps = { a: { status: /** @type {const} */ ('done'), attempts: 1 } };
    await store.saveJob(
      job('j', {
        context: { old: 1 },
        history: [event('j', 1)],
        run: { ...run, steps, plan: { steps: [] } },
      }),
    );
    const after = job('j', { status: 'paused', context: { fresh: 2 } });
    await store.saveJob(after);
    equal(await store.getJob('j'), after, 'job');
  });

  test('what is undefined is not stored, and null in arrays', async (store) => {
    await store.saveJob(job('j', { context: { gone: undefined, list: [undefined, 1], date: new Date(0) } }));
    const found = await store.getJob('j');
    equal(found?.context, { list: [null, 1], date: '1970-01-01T00:00:00.000Z' }, 'context');
    ok(!('gone' in (found?.context ?? {})), 'context.gone: expected no such key');
  });

  test('nothing is shared with the caller', async (store) => {
    const mine = job('j', { context: { list: [1] }, history: [event('j', 1, { list: [1] })] });
    const kept = JSON.parse(JSON.stringify(mine));
    await store.saveJob(mine);
    Object.assign(mine.context, { list: 'changed' });
    /** @type {any} */ (mine.history[0]).payload.list.push(2);
    const first = /** @type {any} */ (await store.getJob('j'));
    equal(first, kept, 'job after the caller changed what it had saved');
    first.context.list.push(2);
    first.history.length = 0;
    equal(await store.getJob('j'), kept, 'job after the caller changed what it had read');
  });

  test('ids and keys may be any string', async (store) => {
    for (const [i, id] of AWKWARD_NAMES.entries()) await store.saveJob(job(id, { context: { i } }));
    for (const [i, id] of AWKWARD_NAMES.entries()) {
      equal(await store.getJob(id), job(id, { context: { i } }), `job ${JSON.stringify(id).slice(0, 40)}`);
    }
    const context = Object.fromEntries(AWKWARD_NAMES.map((key, i) => [key, { [key]: i }]));
    await store.saveJob(job('keys', { context }));
    equal((await store.getJob('keys'))?.context, context, 'context');
    equal(Object.getPrototypeOf((await store.getJob('keys'))?.context), Object.prototype, 'prototype');
  });

  test(
    'getHead, getEvents and deleteJob take any string for ids',
    async (store) => {
      for (const id of AWKWARD_NAMES)
        await store.saveJob(job(id, { history: [event(id, 1)], config: { id } }));
      for (const id of AWKWARD_NAMES) {
        equal((await method(store, 'getHead')(id))?.config, { id }, 'head');
        equal(await method(store, 'getEvents')(id, 0, 10), [event(id, 1)], 'events');
      }
      for (const [i, id] of AWKWARD_NAMES.entries()) {
        await method(store, 'deleteJob')(id);
        equal((await store.getJob(id)) ?? null, null, 'the deleted job');
        const next = AWKWARD_NAMES[i + 1];
        if (next !== undefined) equal((await store.getJob(next))?.id, next, 'the next job');
      }
    },
    ['getHead', 'getEvents', 'deleteJob'],
  );

  test(
    'commit takes any string for ids, keys and steps',
    async (store) => {
      for (const name of AWKWARD_NAMES) {
        const steps = Object.fromEntries([[name, { status: /** @type {const} */ ('done'), attempts: 1 }]]);
        const context = Object.fromEntries([[name, name]]);
        const events = [event(name, 1, { name })];
        await method(store, 'commit')(change(name, 0, { context, steps, events }));
        const found = await store.getJob(name);
        equal(
          [found?.id, found?.context, found?.run?.steps, found?.history],
          [name, context, steps, events],
          'job',
        );
      }
    },
    ['commit'],
  );

  test('what JSON can not hold is refused by saveJob, which then changes nothing', async (store) => {
    await store.saveJob(job('j', { context: { before: true } }));
    for (const [what, bad] of refused()) {
      const error = await rejects(() => store.saveJob(job('j', { context: { list: [1, { bad }] } })), what);
      ok(
        error.message.includes('list[1].bad'),
        `${what}: expected the path list[1].bad in: ${error.message}`,
      );
      await rejects(
        () => store.saveJob(job('new', { history: [event('new', 1, bad)] })),
        `${what} in an event`,
      );
    }
    equal(await store.getJob('j'), job('j', { context: { before: true } }), 'job');
    ok(!(await store.getJob('new')), 'the new job: expected null');
  });

  test(
    'what JSON can not hold is refused by commit, which then changes nothing',
    async (store) => {
      const commit = method(store, 'commit');
      await commit(change('j', 0, { context: { before: true } }));
      const before = await store.getJob('j');
      for (const [what, bad] of refused()) {
        const good = { context: { good: 1 }, events: [event('j', 1)] };
        const deep = { list: [1, { bad }] };
        /** @type {Partial<import('./samples.js').JobChange>[]} */
        const changes = [
          { ...good, context: { good: 1, deep } },
          { ...good, events: [event('j', 1), event('j', 2, deep)] },
          { ...good, steps: { a: /** @type {any} */ (deep) } },
          { ...good, head: head('j', 2, { config: deep }) },
          { ...good, plan: /** @type {any} */ ({ steps: [], deep }) },
        ];
        for (const more of changes) {
          const error = await rejects(() => commit(change('j', 1, more)), what);
          ok(
            error.message.includes('list[1].bad'),
            `${what}: expected the path list[1].bad in: ${error.message}`,
          );
        }
      }
      equal(await store.getJob('j'), before, 'job');
    },
    ['commit'],
  );

  test('any values come back from saveJob as they went in', async (store) => {
    const random = createRandom(1);
    for (let n = 0; n < 40; n += 1) {
      const given = job(`job ${n}`, {
        context: anyObject(random),
        config: anyObject(random),
        history: [event(`job ${n}`, 1, anyValue(random)), event(`job ${n}`, 2, anyValue(random))],
      });
      await store.saveJob(given);
      equal(await store.getJob(`job ${n}`), given, `job ${n}`);
    }
  });

  test(
    'any values come back from commits as they went in',
    async (store) => {
      const random = createRandom(2);
      /** @type {Record<string, unknown>} */
      let context = {};
      const history = [];
      for (let n = 0; n < 40; n += 1) {
        const more = anyObject(random);
        const events = [event('j', n * 2 + 1, anyValue(random)), event('j', n * 2 + 2, anyValue(random))];
        const config = anyObject(random);
        await method(
          store,
          'commit',
        )(change('j', n, { context: more, events, head: head('j', n + 1, { config }) }));
        context = { ...context, ...more };
        history.push(...events);
        const found = await store.getJob('j');
        equal([found?.context, found?.config, found?.history], [context, config, history], `commit ${n + 1}`);
        if (store.getEvents) equal(await store.getEvents('j', n * 2, 2), events, `events of commit ${n + 1}`);
        if (store.getHead) equal((await store.getHead('j'))?.config, config, `head of commit ${n + 1}`);
      }
    },
    ['commit'],
  );

  test('a context of 10 MB', async (store) => {
    const context = large();
    await store.saveJob(job('large', { context }));
    equal((await store.getJob('large'))?.context, context, 'context');
  });

  test(
    'a context of 10 MB by commit, and a small change of it',
    async (store) => {
      const context = large();
      await method(store, 'commit')(change('large', 0, { context }));
      equal((await store.getJob('large'))?.context, context, 'context');
      await method(store, 'commit')(change('large', 1, { context: { text: 'short' } }));
      equal((await store.getJob('large'))?.context, { ...context, text: 'short' }, 'context after a change');
    },
    ['commit'],
  );
}
