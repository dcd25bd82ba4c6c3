import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventBus } from '../../pkg-template/parts/event-bus.js';
import { handover } from '../../pkg-template/parts/handover.js';

/** A bus with what it logged. */
function busWithLog(options = {}) {
  const logged = [];
  const logger = { error: (...values) => logged.push(values) };
  return { ...createEventBus({ logger, ...options }), logged };
}

test('an event says what happened, when, and by whom', () => {
  const { emit, on } = busWithLog({ now: () => 1234 });
  const got = [];
  on('made', (event) => got.push(event));
  const payload = { a: 1 };
  const returned = emit('made', payload);
  assert.deepEqual(got, [returned]);
  assert.equal(got[0], returned);
  assert.equal(returned.payload, payload);
  const { id, trace, ...rest } = returned;
  assert.deepEqual(rest, { seq: 1, type: 'made', payload, meta: { timestamp: 1234, source: 'jobwright' } });
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.match(trace.traceId, /^[0-9a-f]{32}$/);
  assert.deepEqual(trace, { traceId: trace.traceId, spanId: id });
});

test('seq counts per bus, and ids do not repeat', () => {
  const one = busWithLog();
  const other = busWithLog();
  const events = Array.from({ length: 5000 }, () => one.emit('x'));
  assert.deepEqual(
    events.map(({ seq }) => seq),
    Array.from({ length: 5000 }, (_, i) => i + 1),
  );
  assert.equal(other.emit('x').seq, 1);
  const ids = new Set(events.flatMap(({ trace }) => [trace.traceId, trace.spanId]));
  assert.equal(ids.size, 10_000);
});

test('a parent gives the trace and is the cause', () => {
  const { emit } = busWithLog();
  const cause = emit('cause', null, 'test');
  const effect = emit('effect', null, 'test', cause.trace);
  assert.equal(effect.trace.traceId, cause.trace.traceId);
  assert.equal(effect.trace.parentId, cause.id);
  assert.notEqual(effect.id, cause.id);
  assert.equal(effect.meta.source, 'test');
  assert.ok(!('parentId' in cause.trace));
  const partial = emit('effect', null, 'test', { traceId: cause.trace.traceId });
  assert.equal(partial.trace.traceId, cause.trace.traceId);
  assert.ok(!('parentId' in partial.trace));
});

test('handlers are told at once, of their type and then of all, in the order they were added', () => {
  const { emit, on, onAny } = busWithLog();
  const order = [];
  onAny(() => order.push('any 1'));
  on('x', () => order.push('x 1'));
  on('y', () => order.push('y'));
  on('x', () => order.push('x 2'));
  onAny(() => order.push('any 2'));
  emit('x');
  assert.deepEqual(order, ['x 1', 'x 2', 'any 1', 'any 2']);
});

test('an unsubscribe function removes its own handler, once', () => {
  const { emit, on, onAny } = busWithLog();
  let calls = 0;
  const handler = () => {
    calls += 1;
  };
  const offs = [on('x', handler), on('x', handler), onAny(handler)];
  emit('x');
  assert.equal(calls, 3);
  offs[0]();
  offs[0]();
  emit('x');
  assert.equal(calls, 5);
  offs[2]();
  offs[2]();
  offs[1]();
  emit('x');
  assert.equal(calls, 5);
  on('x', handler);
  offs[1]();
  emit('x');
  assert.equal(calls, 6);
});

test('a handler added while an event is told gets the next one', () => {
  const { emit, on, onAny } = busWithLog();
  const order = [];
  const off = on('x', () => {
    off();
    on('x', () => order.push('late'));
    onAny(() => order.push('late any'));
  });
  onAny(() => order.push('any'));
  emit('x');
  assert.deepEqual(order, ['any']);
  order.length = 0;
  emit('x');
  assert.deepEqual(order, ['late', 'any', 'late any']);
});

test('a handler removed while an event is told is not called any more', () => {
  const { emit, on, onAny } = busWithLog();
  const order = [];
  on('x', () => {
    order.push('first');
    offSecond();
    offAny();
  });
  const offSecond = on('x', () => order.push('second'));
  on('x', () => order.push('third'));
  const offAny = onAny(() => order.push('any'));
  emit('x');
  assert.deepEqual(order, ['first', 'third']);
});

test('a handler that fails disturbs nobody and is logged once', async () => {
  const { emit, on, onAny, logged } = busWithLog();
  const failures = [new Error('thrown'), new Error('rejected'), 'text', undefined];
  let told = 0;
  on('x', () => {
    throw failures[0];
  });
  on('x', async () => {
    throw failures[1];
  });
  on('x', () => {
    throw failures[2];
  });
  on('x', () => Promise.reject());
  on('x', () => ({
    // biome-ignore lint/suspicious/noThenProperty: what a handler returns may be anything
    get then() {
      throw failures[0];
    },
  }));
  on('x', () => {
    told += 1;
  });
  onAny(() => {
    told += 1;
  });
  assert.equal(emit('x').type, 'x');
  assert.equal(told, 2);
  await new Promise(setImmediate);
  const errors = logged.map(([, error]) => error);
  assert.equal(errors.length, 5);
  for (const failure of failures) assert.ok(errors.includes(failure), `expected ${failure} in the log`);
  assert.ok(logged.every(([sentence]) => sentence === 'A handler of the event "x" failed:'));
});

test('a logger that fails, or is none, disturbs nobody', () => {
  const loggers = [
    {},
    { error: null },
    {
      error() {
        throw new Error('no disk');
      },
    },
  ];
  for (const logger of loggers) {
    const { emit, on } = createEventBus({ logger });
    on('x', () => {
      throw new Error('thrown');
    });
    assert.equal(emit('x').type, 'x');
  }
});

test('without a logger a failure is told on the console', (t) => {
  const error = t.mock.method(console, 'error', () => {});
  const { emit, on } = createEventBus();
  on('x', () => {
    throw new Error('thrown');
  });
  emit('x');
  assert.equal(error.mock.callCount(), 1);
});

test('a handler may emit, on the same bus and type', () => {
  const { emit, on } = busWithLog();
  const got = [];
  on('x', ({ payload, seq }) => {
    got.push([payload, seq]);
    if (payload > 0) emit('x', payload - 1);
  });
  emit('x', 3);
  assert.deepEqual(got, [
    [3, 1],
    [2, 2],
    [1, 3],
    [0, 4],
  ]);
});

test('any string is a type, and no type is another', () => {
  const { emit, on, onAny } = busWithLog();
  const types = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '*', 'nul\0', '🦀'];
  const got = [];
  for (const type of types) on(type, (event) => got.push([type, event.type]));
  const all = [];
  onAny(({ type }) => all.push(type));
  for (const type of types) emit(type);
  assert.deepEqual(
    got,
    types.map((type) => [type, type]),
  );
  assert.deepEqual(all, types);
});

test('what is no handler or no type is refused', () => {
  const { on, onAny } = busWithLog();
  for (const bad of [undefined, null, 'x', {}, 1]) {
    assert.throws(() => on('x', bad), {
      name: 'TypeError',
      message: /^on: expected a handler function, found /,
    });
    assert.throws(() => onAny(bad), {
      name: 'TypeError',
      message: /^onAny: expected a handler function, found /,
    });
  }
  for (const bad of [undefined, null, 1, {}]) {
    assert.throws(() => on(bad, () => {}), {
      name: 'TypeError',
      message: /^on: expected an event's type, found /,
    });
  }
});

test("a copy of the engine's own event is delivered, and of no other", (t) => {
  t.after(() => {
    handover.event = null;
  });
  const { emit, on } = busWithLog();
  const got = [];
  const payload = { jobId: 'j' };
  on('job_started', (event) => {
    got.push(event);
    // What a handler emits meanwhile is its own, even with the same payload.
    if (got.length === 1) {
      got.push(emit('other', payload));
      got.push(emit('job_started', { jobId: 'j' }));
    }
  });
  const own = { id: 'x', seq: 7, type: 'job_started', payload, trace: {}, meta: {} };
  handover.event = own;
  const returned = emit('job_started', payload);
  handover.event = null;
  assert.deepEqual(got[0], own);
  assert.equal(got[0], returned);
  assert.equal(got.length, 4);
  for (const event of got.slice(1)) assert.notEqual(event.seq, own.seq);
  assert.notEqual(got[0].payload, payload);
  assert.equal(emit('job_started', payload).seq, 3);
});
