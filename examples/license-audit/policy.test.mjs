// @ts-check
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Failure } from './failure.mjs';
import { parsePolicy, readPolicyFile } from './policy.mjs';

test('the policy beside the program is valid', () => {
  const file = new URL('policy.json', import.meta.url);
  const { allowed, review, denied } = parsePolicy(readFileSync(file, 'utf8'), 'policy.json');
  for (const list of [allowed, review, denied]) assert.ok(list.length > 0);
});

test('entries become canonical, sorted, and stand once', () => {
  const text = JSON.stringify({
    allowed: ['MIT', 'ISC', 'MIT'],
    denied: ['GPL-2.0', 'GPL-2.0-only', '(Zlib AND MIT)'],
  });
  assert.deepEqual(parsePolicy(text, 'p'), {
    allowed: ['ISC', 'MIT'],
    review: [],
    denied: ['GPL-2.0-only', 'MIT AND Zlib'],
  });
});

/** @type {[name: string, text: string, expected: RegExp][]} */
const refused = [
  ['no JSON', '{ "allowed": [', /is not valid: it is not JSON \(.+\)\.$/],
  ['nothing', '', /it is not JSON/],
  ['null', 'null', /must be an object with the lists/],
  ['a list', '["MIT"]', /must be an object with the lists/],
  ['no list', '{}', /has none of the lists/],
  [
    'an unknown list',
    '{"allowed": [], "forbidden": []}',
    /"forbidden" is none of "allowed", "review", "denied"/,
  ],
  ['__proto__', '{"allowed": [], "__proto__": []}', /"__proto__" is none of/],
  ['no list under a name', '{"allowed": "MIT"}', /"allowed" must be a list of SPDX expressions/],
  ['a number', '{"allowed": ["MIT", 2]}', /allowed\[1\] must be an SPDX expression; found 2/],
  ['no expression', '{"denied": ["GPL"]}', /denied\[0\], "GPL", is not an SPDX expression/],
  [
    'two lists',
    '{"allowed": ["GPL-2.0"], "denied": ["GPL-2.0-only"]}',
    /GPL-2\.0-only is listed as "allowed" and as "denied"/,
  ],
];

for (const [name, text, expected] of refused) {
  test(`a policy with ${name} is refused in one sentence`, () => {
    assert.throws(
      () => parsePolicy(text, 'our.json'),
      (error) => {
        assert.ok(error instanceof Failure);
        assert.match(error.message, /^The policy our\.json is not valid: [^\n]+\.$/);
        assert.match(error.message, expected);
        return true;
      },
    );
  });
}

test('a policy that can not be read says why', () => {
  assert.throws(() => readPolicyFile('/nowhere/policy.json'), /can't be read: it does not exist\.$/);
  assert.throws(() => readPolicyFile(import.meta.dirname), /can't be read: it is a directory\.$/);
});
