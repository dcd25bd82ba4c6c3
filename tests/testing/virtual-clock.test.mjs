// @ts-check
/** A clock that moves when told to, alone. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter, getEventListeners } from 'node:events';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { consumerDir, importPackage } from '../package/installed.mjs';

const { createVirtualClock } = await importPackage('jobwright/testing');
const { JobwrightError } = await importPackage();

const DAY = 86_400_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A task that is not seen among those that the process still has to do. */
const message = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => resolve(port1.close()));
    port1.start();
    port2.postMessage(null);
  });

/** @param {any} clock @returns {{ log: any[], sleep: (name: string, ms: number, signal?: AbortSignal) => Promise<void> }} */
function watched(clock) {
  /** @type {any[]} */
  const log = [];
  return {
    log,
    sleep: async (name, ms, signal) => {
      await clock.sleep(ms, signal);
      log.push([name, clock.now()]);
    },
  };
}

test('time begins where it is told to, at 0 by default, and stands still', async () => {
  const clock = createVirtualClock(5);
  assert.deepEqual([clock.now(), createVirtualClock().now()], [5, 0]);
  const { log, sleep } = watched(clock);
  sleep('one', 1);
  sleep('none', 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([clock.now(), log], [5, []]);
});

test('a sleep ends when its time has come and not before', async () => {
  const clock = createVirtualClock();
  const { log, sleep } = watched(clock);
  sleep('one', 100);
  await clock.advance(99);
  assert.deepEqual([clock.now(), log], [99, []]);
  await clock.advance(1);
  assert.deepEqual([clock.now(), log], [100, [['one', 100]]]);
});

test('advance(0) ends what is due now, and moves nothing', async () => {
  const clock = createVirtualClock(7);
  const { log, sleep } = watched(clock);
  sleep('later', 1);
  sleep('now', 0);
  await clock.advance(0);
  assert.deepEqual([clock.now(), log], [7, [['now', 7]]]);
});

test('sleeps of the same moment end one by one, each with all that follows from it', async () => {
  const clock = createVirtualClock();
  /** @type {string[]} */
  const log = [];
  const sleeper = async (/** @type {string} */ name, /** @type {number} */ ms) => {
    await clock.sleep(ms);
    log.push(`${name} wakes`);
    await turn();
    await clock.sleep(0);
    log.push(`${name} wakes again`);
  };
  sleeper('a', 10);
  sleeper('b', 10);
  await clock.advance(10);
  assert.deepEqual(log, ['a wakes', 'b wakes', 'a wakes again', 'b wakes again']);
});

test('one that is aborted by another of the same moment does not end', async () => {
  const clock = createVirtualClock();
  const controller = new AbortController();
  const { log, sleep } = watched(clock);
  sleep('first', 10).then(() => controller.abort('too late'));
  const second = assert.rejects(sleep('second', 10, controller.signal), (reason) => reason === 'too late');
  await clock.advance(10);
  await second;
  assert.deepEqual(log, [['first', 10]]);
});

for (const [name, rest] of /** @type {[string, () => Promise<unknown>][]} */ ([
  ['nothing', async () => {}],
  [
    'a thousand promises',
    async () => {
      for (let n = 0; n < 1000; n++) await null;
    },
  ],
  [
    'a hundred tasks',
    async () => {
      for (let n = 0; n < 100; n++) await turn();
    },
  ],
  [
    'five messages',
    async () => {
      for (let n = 0; n < 5; n++) await message();
    },
  ],
])) {
  test(`a sleep asked for after ${name} during advance, and due within it, ends too`, async () => {
    const clock = createVirtualClock();
    /** @type {number[]} */
    const times = [];
    (async () => {
      for (;;) {
        await rest();
        await clock.sleep(10);
        times.push(clock.now());
      }
    })();
    await clock.advance(35);
    assert.deepEqual([times, clock.now(), clock.nextDue()], [[10, 20, 30], 35, 40]);
  });
}

test('a program that waits in every turn for something else does not hold it up', async () => {
  const clock = createVirtualClock();
  const { log, sleep } = watched(clock);
  sleep('one', 10);
  const waiting = (async () => {
    while (log.length === 0) await turn();
  })();
  await clock.advance(10);
  await waiting;
});

test('a program that looks at the time now and then gets all the turns it needs', async () => {
  const clock = createVirtualClock();
  const { log, sleep } = watched(clock);
  (async () => {
    for (let n = 0; n < 40; n++) {
      await message();
      if (n % 4 === 0) clock.now();
    }
    sleep('at last', 1);
  })();
  await clock.advance(1);
  assert.deepEqual(log, [['at last', 1]]);
});

test('a program that looks at the time in every turn does not hold it up', { timeout: 20_000 }, async () => {
  const clock = createVirtualClock();
  const waiting = (async () => {
    while (clock.now() < 3) await turn();
  })();
  await clock.advance(3);
  await waiting;
});

test('waits of days, and of more than 2^31 ms, take no time', async () => {
  const clock = createVirtualClock(Date.UTC(2030, 0, 1));
  const { log, sleep } = watched(clock);
  const begun = performance.now();
  for (const days of [3, 30, 365]) sleep(`${days} days`, days * DAY);
  await clock.advance(400 * DAY);
  assert.ok(performance.now() - begun < 1000);
  assert.deepEqual(
    log.map(([name, time]) => [name, new Date(time).toISOString().slice(0, 10)]),
    [
      ['3 days', '2030-01-04'],
      ['30 days', '2030-01-31'],
      ['365 days', '2031-01-01'],
    ],
  );
});

test('calls of advance made side by side, and one from what was woken, take turns', async () => {
  const clock = createVirtualClock();
  /** @type {any[]} */
  const log = [];
  const inner = clock.sleep(5).then(async () => {
    await clock.advance(100);
    log.push(['inner', clock.now()]);
  });
  const first = clock.advance(10).then(() => log.push(['first', clock.now()]));
  const second = clock.advance(20).then(() => log.push(['second', clock.now()]));
  await Promise.all([first, second, inner]);
  assert.deepEqual(log, [
    ['first', 10],
    ['second', 30],
    ['inner', 130],
  ]);
});

test('a signal ends a sleep with its reason, before or during it', async () => {
  const clock = createVirtualClock();
  const reason = new Error('enough');
  await assert.rejects(clock.sleep(1, AbortSignal.abort(reason)), (error) => error === reason);
  const controller = new AbortController();
  const sleeping = clock.sleep(1, controller.signal);
  assert.equal(clock.pending(), 1);
  controller.abort();
  await assert.rejects(sleeping, { name: 'AbortError' });
  assert.deepEqual([clock.pending(), clock.nextDue()], [0, null]);
});

test('a signal keeps no listener of a sleep that has ended, however it ended', async () => {
  const clock = createVirtualClock();
  const controller = new AbortController();
  const { signal } = controller;
  for (let n = 0; n < 50; n++) {
    const sleeping = clock.sleep(n, signal);
    await clock.advance(n);
    await sleeping;
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  const aborted = clock.sleep(1, signal).catch(() => {});
  controller.abort();
  await aborted;
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  await assert.rejects(clock.sleep(1, signal));
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('pending and nextDue say what is waited for', async () => {
  const clock = createVirtualClock(1000);
  assert.deepEqual([clock.pending(), clock.nextDue()], [0, null]);
  clock.sleep(50);
  clock.sleep(20);
  assert.deepEqual([clock.pending(), clock.nextDue()], [2, 1020]);
  await clock.advance(clock.nextDue() - clock.now());
  assert.deepEqual([clock.pending(), clock.nextDue()], [1, 1050]);
});

test('every method works when destructured', async () => {
  const { now, sleep, advance, pending, nextDue } = createVirtualClock();
  const sleeping = sleep(1);
  assert.deepEqual([pending(), nextDue()], [1, 1]);
  await advance(1);
  await sleeping;
  assert.equal(now(), 1);
});

for (const wrong of [Number.NaN, -1, Infinity, -Infinity, '10', undefined, null, {}, 10n]) {
  test(`${typeof wrong === 'bigint' ? '10n' : (JSON.stringify(wrong) ?? 'undefined')} (${String(wrong)}) is no time`, async () => {
    const clock = createVirtualClock();
    const refused = (/** @type {any} */ error) => {
      assert.ok(error instanceof JobwrightError);
      assert.equal(error.code, 'invalid_argument');
      assert.match(error.message, /: expected milliseconds, a finite number of at least 0; found \S/);
      return true;
    };
    const calls = [() => clock.advance(wrong), () => clock.sleep(wrong)];
    for (const call of calls) await assert.rejects(call(), refused);
    if (wrong !== undefined) assert.throws(() => createVirtualClock(wrong), refused);
    await clock.advance(1);
    assert.deepEqual([clock.now(), clock.pending()], [1, 0]);
  });
}

test('a refusal names what was refused', async () => {
  const clock = createVirtualClock();
  await assert.rejects(clock.advance(-5), { message: /^advance: ms: .* found -5$/ });
  await assert.rejects(clock.sleep(Number.NaN), { message: /^sleep: ms: .* found NaN$/ });
  assert.throws(() => createVirtualClock(-1), { message: /^createVirtualClock: start: .* found -1$/ });
  await assert.rejects(clock.sleep(1, { signal: new AbortController().signal }), {
    code: 'invalid_argument',
    message: 'sleep: signal: expected an AbortSignal; found an object',
  });
  await assert.rejects(clock.sleep(1, new EventEmitter()), { code: 'invalid_argument' });
  assert.equal(clock.pending(), 0);
});

test('time ends where milliseconds can no longer be counted', async () => {
  const clock = createVirtualClock(1);
  await assert.rejects(clock.advance(Number.MAX_SAFE_INTEGER), /expected time to end at 9007199254740991/);
  assert.throws(() => createVirtualClock(2 ** 53), { code: 'invalid_argument' });
  clock.sleep(Number.MAX_VALUE);
  await clock.advance(Number.MAX_SAFE_INTEGER - 1);
  assert.deepEqual([clock.now(), clock.pending()], [Number.MAX_SAFE_INTEGER, 1]);
});

test('a loop of sleeps for 0 ms is refused, and does not hang', { timeout: 60_000 }, async () => {
  const clock = createVirtualClock(3);
  let stopped = false;
  const loop = (async () => {
    while (!stopped) await clock.sleep(0);
  })();
  await assert.rejects(clock.advance(1), /10000 sleeps for 0 ms ended one after the other at 3/);
  stopped = true;
  assert.equal(clock.now(), 3);
  void loop;
});

test('a loop of sleeps that lets time go on may be long', { timeout: 60_000 }, async () => {
  const clock = createVirtualClock();
  let rounds = 0;
  (async () => {
    for (;;) {
      await clock.sleep(1);
      rounds++;
    }
  })();
  await clock.advance(10_010);
  assert.equal(rounds, 10_010);
});

test('many sleeps for 0 ms side by side are no loop', { timeout: 60_000 }, async () => {
  const clock = createVirtualClock();
  let ended = 0;
  for (let n = 0; n < 10_001; n++) clock.sleep(0).then(() => ended++);
  await clock.advance(0);
  assert.equal(ended, 10_001);
});

test('a program that goes on at the same moment, advance by advance, is no loop', {
  timeout: 60_000,
}, async () => {
  const clock = createVirtualClock();
  for (let n = 0; n < 10_001; n++) {
    const sleeping = clock.sleep(0);
    await clock.advance(0);
    await sleeping;
  }
  assert.equal(clock.pending(), 0);
});

test("a test runner's fake timers hold nothing up", async (context) => {
  context.mock.timers.enable({ apis: ['setImmediate', 'setTimeout', 'Date'] });
  const clock = createVirtualClock();
  const { log, sleep } = watched(clock);
  sleep('one', 10);
  await clock.advance(10);
  assert.deepEqual(log, [['one', 10]]);
});

test('where there is no setImmediate, as in browsers, time moves all the same', async () => {
  const program = `
    delete globalThis.setImmediate;
    delete globalThis.process;
    const { createVirtualClock } = await import('jobwright/testing');
    const clock = createVirtualClock();
    (async () => {
      await clock.sleep(10);
      console.log('first', clock.now());
      await clock.sleep(10);
      console.log('second', clock.now());
    })();
    await clock.advance(25);
    console.log('end', clock.now());
  `;
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: consumerDir, timeout: 15_000 });
  assert.equal(stdout, 'first 10\nsecond 20\nend 25\n');
});
