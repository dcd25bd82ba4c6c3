import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import fc from 'fast-check';
import { JobwrightError } from '../../pkg-template/parts/errors.js';
import { cloneJson, MAX_DEPTH, MAX_VALUES, plainCopy } from '../../pkg-template/parts/plain.js';

/** Values that JSON holds, with the keys that go wrong. */
const json = fc.jsonValue({ maxDepth: 6, noUnicodeString: false });
const awkward = fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'toJSON', '', '0', 'a'), json);

const refusal = (path, found) => (error) => {
  assert.ok(error instanceof JobwrightError, `expected a JobwrightError, found ${error}`);
  assert.equal(error.code, 'invalid_argument');
  assert.equal(error.details.path, path);
  assert.equal(error.message, `${path}: ${found}`);
  return true;
};
const expected = (found) => `expected a JSON value, found ${found}`;

function nest(depth, wrap) {
  let value = 'bottom';
  for (let i = 0; i < depth; i += 1) value = wrap(value);
  return value;
}

test('what JSON holds is copied as JSON copies it', () => {
  fc.assert(
    fc.property(fc.oneof(json, awkward), (value) => {
      const copy = plainCopy(value);
      assert.deepEqual(copy, JSON.parse(JSON.stringify(value)));
      assert.equal(JSON.stringify(copy), JSON.stringify(value));
    }),
    { numRuns: 2000 },
  );
});

test('a clone of what is JSON is the same copy', () => {
  fc.assert(
    fc.property(fc.oneof(json, awkward), (value) => {
      const plain = plainCopy(value);
      assert.deepEqual(cloneJson(plain), plain);
      assert.equal(JSON.stringify(cloneJson(plain)), JSON.stringify(plain));
    }),
  );
  const proto = cloneJson(JSON.parse('{"__proto__":{"polluted":{"a":1}}}'));
  assert.equal(Object.getPrototypeOf(proto), Object.prototype);
  assert.deepEqual(Object.keys(proto), ['__proto__']);
});

test('no part of a copy is shared', () => {
  fc.assert(
    fc.property(json, (value) => {
      const seen = new Set();
      const collect = (part) => {
        if (typeof part !== 'object' || part === null) return;
        seen.add(part);
        Object.values(part).forEach(collect);
      };
      collect(value);
      const check = (part) => {
        if (typeof part !== 'object' || part === null) return;
        assert.ok(!seen.has(part));
        Object.values(part).forEach(check);
      };
      check(plainCopy(value));
      check(cloneJson(value));
    }),
  );
});

test('what JSON changes is changed alike', () => {
  class Point {
    x = 1;
    get y() {
      return 2;
    }
  }
  const bare = Object.assign(Object.create(null), { a: 1 });
  const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 2, enumerable: false });
  const foreign = vm.runInNewContext('({ a: [1, { b: null }] })');
  const list = [undefined, 1];
  list.extra = 'not in JSON';
  for (const value of [
    { a: undefined, b: 1 },
    list,
    // biome-ignore lint/suspicious/noSparseArray: holes are what is tested
    [1, , 2],
    new Date(0),
    { date: new Date(0), url: new URL('http://localhost/') },
    { toJSON: (key) => ({ key }) },
    { inner: { toJSON: (key) => [key, undefined] } },
    { inner: { toJSON: () => undefined } },
    new Point(),
    bare,
    hidden,
    foreign,
    { [Symbol('s')]: 1, a: 2 },
    [new Number(1), new String('a'), new Boolean(false)],
    [-0],
    new Proxy({ a: [1] }, {}),
  ]) {
    const copy = plainCopy(value);
    assert.equal(JSON.stringify(copy), JSON.stringify(value));
    assert.deepEqual(copy, JSON.parse(JSON.stringify(value)));
  }
  assert.ok(Object.is(plainCopy([-0])[0], 0));
  assert.equal(plainCopy(undefined), undefined);
});

test('a key __proto__ is data and sets no prototype', () => {
  const copy = plainCopy(JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":1}}'));
  assert.equal(Object.getPrototypeOf(copy), Object.prototype);
  assert.equal(copy.polluted, undefined);
  assert.deepEqual(Object.keys(copy), ['__proto__', 'a']);
  assert.equal(Object.getOwnPropertyDescriptor(copy.a, '__proto__').value, 1);
  assert.equal({}.polluted, undefined);
});

test('what JSON can not hold is refused, with its place and what was found', () => {
  const cycle = { list: [1] };
  cycle.list.push({ back: cycle });
  const backToRoot = { a: { toJSON: () => backToRoot } };
  const copiesMeanwhile = {
    get bad() {
      plainCopy({ list: [1] });
      return Symbol('s');
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  for (const [value, path, found] of [
    [() => {}, 'value', expected('a function')],
    [{ a: { b: [0, () => {}] } }, 'value.a.b[1]', expected('a function')],
    [{ 'two words': Symbol('s') }, 'value["two words"]', expected('a symbol')],
    [[10n], 'value[0]', expected('the BigInt 10n')],
    [Number.NaN, 'value', expected('NaN')],
    [{ a: [1, 2], n: -Infinity }, 'value.n', expected('-Infinity')],
    [cycle, 'value.list[1].back', expected('a cycle')],
    [{ m: new Map() }, 'value.m', expected('a Map')],
    [{ s: new Set() }, 'value.s', expected('a Set')],
    [{ r: /x/ }, 'value.r', expected('a RegExp')],
    [{ p: Promise.resolve() }, 'value.p', expected('a Promise')],
    [{ t: new Uint8Array(3) }, 'value.t', expected('an Uint8Array')],
    [{ b: new ArrayBuffer(3) }, 'value.b', expected('an ArrayBuffer')],
    [{ w: new WeakMap() }, 'value.w', expected('a WeakMap')],
    [{ e: new Error('boom') }, 'value.e', expected('Error: boom')],
    [{ a: { toJSON: () => Number.NaN } }, 'value.a', expected('NaN')],
    [{ a: { toJSON: () => cycle } }, 'value.a.list[1].back', expected('a cycle')],
    [backToRoot, 'value.a', expected('a cycle')],
    [copiesMeanwhile, 'value.bad', expected('a symbol')],
    [{ d: new Date(Number.NaN), f() {} }, 'value.f', expected('a function')],
    [{ r: revoked.proxy }, 'value.r', /could not be read: TypeError: .*revoked/],
    [
      {
        a: [
          {
            get bad() {
              throw new Error('boom');
            },
          },
        ],
      },
      'value.a[0].bad',
      'could not be read: Error: boom',
    ],
    [
      {
        get bad() {
          throw { junk: true };
        },
      },
      'value.bad',
      'could not be read: an object',
    ],
    [
      {
        a: {
          toJSON() {
            throw 'text';
          },
        },
      },
      'value.a',
      'could not be read: "text"',
    ],
  ]) {
    if (found instanceof RegExp)
      assert.throws(() => plainCopy(value), { code: 'invalid_argument', message: found });
    else assert.throws(() => plainCopy(value), refusal(path, found));
  }
});

test('the same refusal wherever the bad value stands', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(3), fc.string())), json, (path, beside) => {
      const bad = path.reduceRight((value, key) => {
        if (typeof key === 'string') return { other: beside, [key]: value };
        return [...Array(key).fill(beside), value];
      }, Symbol('bad'));
      const isShown = (error) => {
        const place = path.map((key) => (typeof key === 'number' ? `[${key}]` : null));
        assert.equal(error.code, 'invalid_argument');
        assert.match(error.message, /: expected a JSON value, found a symbol$/);
        assert.ok(error.details.path.startsWith('root'));
        for (const part of place) assert.ok(part === null || error.details.path.includes(part));
        return true;
      };
      // Copying works as before afterwards: nothing is left over from a refusal.
      assert.throws(() => plainCopy(bad, 'root'), isShown);
      assert.deepEqual(plainCopy({ beside }), JSON.parse(JSON.stringify({ beside })));
    }),
  );
});

test('an error that was caught is the cause', () => {
  const boom = new Error('boom');
  const bad = {
    get a() {
      throw boom;
    },
  };
  assert.throws(
    () => plainCopy(bad),
    (error) => error.cause === boom,
  );
});

test('a copy made while another is under way does not disturb it', () => {
  let inner;
  const value = {
    before: { a: 1 },
    get during() {
      inner = plainCopy({ deep: [{ list: [1, 2] }] });
      assert.throws(() => plainCopy({ bad: [() => {}] }), refusal('value.bad[0]', expected('a function')));
      return { b: 2 };
    },
    after: [() => {}],
  };
  assert.throws(() => plainCopy(value), refusal('value.after[0]', expected('a function')));
  assert.deepEqual(inner, { deep: [{ list: [1, 2] }] });
});

test('nesting is bounded and never overflows the stack', () => {
  for (const wrap of [
    (value) => [value],
    (value) => ({ value }),
    (value) => ({ toJSON: () => ({ value }) }),
  ]) {
    assert.doesNotThrow(() => plainCopy(nest(MAX_DEPTH, wrap)));
    for (const depth of [MAX_DEPTH + 1, 100_000]) {
      assert.throws(() => plainCopy(nest(depth, wrap)), {
        code: 'invalid_argument',
        message: /expected a JSON value, found more than 1000 levels of nesting$/,
      });
    }
  }
});

test('what is shared is copied each time it is met, up to a bound', () => {
  const shared = { a: 1 };
  const copy = plainCopy([shared, shared, { shared }]);
  assert.deepEqual(copy, [{ a: 1 }, { a: 1 }, { shared: { a: 1 } }]);
  assert.notEqual(copy[0], copy[1]);
  assert.throws(() => plainCopy({ list: new Array(MAX_VALUES + 1) }), {
    code: 'invalid_argument',
    message: /^value\.list: .*more than 50000000 values$/,
  });
});

test('ten megabytes take time in proportion', () => {
  const rows = (count) =>
    Array.from({ length: count }, (_, i) => ({ id: i, name: `row ${i}`, tags: [i, null] }));
  const time = (value) => {
    const start = performance.now();
    plainCopy(value);
    return performance.now() - start;
  };
  const small = rows(20_000);
  const large = rows(200_000);
  // On a busy machine any one of them may be slow. What takes time by the square takes a hundred times as long each time.
  const ratios = [];
  while (ratios.length < 20 && !(ratios.at(-1) < 40)) ratios.push(time(large) / time(small));
  assert.ok(ratios.at(-1) < 40, `ten times as much took ${ratios.map(Math.round)} times as long`);
});
