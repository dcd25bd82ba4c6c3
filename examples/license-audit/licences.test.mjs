// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createJudge, readExpression, VERDICTS } from './licences.mjs';

/**
 * @typedef {import('./licences.mjs').Verdict} Verdict
 */

const { judge } = createJudge({
  allowed: ['Apache-2.0', 'BSD-3-Clause', 'ISC', 'MIT'],
  review: ['LGPL-3.0-or-later', 'MPL-2.0'],
  denied: ['AGPL-3.0-or-later', 'GPL-2.0-only', 'GPL-3.0-only', 'UNLICENSED'],
});

/** @type {[stated: string | null, verdict: Verdict, why: RegExp][]} */
const cases = [
  ['MIT', 'allowed', /^MIT is allowed$/],
  ['  MIT ', 'allowed', /^MIT is allowed$/],
  ['MPL-2.0', 'review', /^MPL-2\.0 needs review$/],
  ['GPL-3.0-only', 'denied', /^GPL-3\.0-only is denied$/],
  ['Zlib', 'review', /^Zlib is not in the policy$/],

  // Alternatives are ours to choose from; what holds together holds together.
  ['MIT OR GPL-3.0', 'allowed', /^MIT is allowed, and may be chosen$/],
  ['GPL-3.0-only OR MIT', 'allowed', /^MIT is allowed/],
  ['MPL-2.0 OR GPL-3.0-only', 'review', /^MPL-2\.0 needs review$/],
  ['(MIT AND Zlib)', 'review', /^Zlib is not in the policy$/],
  ['MIT AND GPL-3.0-only', 'denied', /^GPL-3\.0-only is denied$/],
  ['MIT AND ISC', 'allowed', /^MIT is allowed; ISC is allowed$/],
  ['MIT AND (GPL-3.0-only OR ISC)', 'allowed', /ISC is allowed, and may be chosen/],
  ['MIT OR ISC AND GPL-3.0-only', 'allowed', /^MIT is allowed/],
  ['(MIT OR ISC) AND GPL-3.0-only', 'denied', /^GPL-3\.0-only is denied$/],

  // An exception adds permissions: it can't make things worse, and may make them better.
  [
    'Apache-2.0 WITH LLVM-exception',
    'allowed',
    /^Apache-2\.0 is allowed, and an exception only permits more$/,
  ],
  ['GPL-2.0-only WITH Classpath-exception-2.0', 'review', /may be more permissive than GPL-2\.0-only$/],
  ['Zlib WITH LLVM-exception', 'review', /not in the policy$/],

  // GPL-2.0 is today GPL-2.0-only; "or later" may be taken as that version.
  ['GPL-2.0', 'denied', /^GPL-2\.0-only is denied$/],
  ['GPL-3.0+', 'denied', /^GPL-3\.0-only is denied$/],
  ['GPL-3.0-or-later', 'denied', /^GPL-3\.0-only is denied$/],
  ['AGPL-3.0-only', 'review', /^AGPL-3\.0-only is not in the policy$/],
  ['AGPL-3.0+', 'denied', /^AGPL-3\.0-or-later is denied$/],
  ['Apache-2.0+', 'allowed', /^Apache-2\.0 is allowed$/],

  // npm's words that are no expressions.
  ['UNLICENSED', 'denied', /^UNLICENSED gives nobody a right to use it$/],
  ['SEE LICENSE IN LICENSE.md', 'review', /in LICENSE\.md$/],
  ['SEE LICENSE IN', 'review', /^"SEE LICENSE IN" is not an SPDX expression$/],
  [null, 'review', /^no licence is stated$/],
  ['', 'review', /^no licence is stated$/],
  ['   ', 'review', /^no licence is stated$/],

  // What can't be read is for a person, whatever it contains.
  ['MIT License', 'review', /^"MIT License" is not an SPDX expression$/],
  ['mit', 'review', /not an SPDX expression$/],
  ['MIT OR', 'review', /not an SPDX expression$/],
  ['MIT AND (', 'review', /not an SPDX expression$/],
  ['MIT WITH MIT', 'review', /not an SPDX expression$/],
  ['LicenseRef-ours', 'review', /^LicenseRef-ours is not in the policy$/],
  ['constructor', 'review', /not an SPDX expression$/],
  ['__proto__', 'review', /not an SPDX expression$/],
  ['https://example.com/MIT', 'review', /not an SPDX expression$/],
];

for (const [stated, verdict, why] of cases) {
  test(`${JSON.stringify(stated)} is ${verdict}`, () => {
    for (const ecosystem of /** @type {const} */ (['npm', 'cargo'])) {
      const judged = judge(stated, ecosystem);
      assert.equal(judged.verdict, verdict);
      assert.match(judged.why, why);
    }
  });
}

test("a slash is Cargo's old OR, and unread in npm", () => {
  assert.deepEqual(judge('MIT/Apache-2.0', 'cargo'), {
    verdict: 'allowed',
    why: 'MIT is allowed, and may be chosen ("/" is Cargo\'s old way to write OR)',
  });
  assert.equal(judge('GPL-3.0 / MPL-2.0', 'cargo').verdict, 'review');
  assert.equal(judge('MIT/nonsense', 'cargo').verdict, 'review');
  assert.deepEqual(judge('MIT/Apache-2.0', 'npm'), {
    verdict: 'review',
    why: '"MIT/Apache-2.0" is not an SPDX expression',
  });
});

test('UNLICENSED needs a review where the policy does not say', () => {
  const bare = createJudge({ allowed: ['MIT'], review: [], denied: [] });
  assert.equal(bare.judge('UNLICENSED', 'npm').verdict, 'review');
});

test('an expression that is listed as it stands counts before its parts', () => {
  const text = readExpression('(Zlib AND MIT)').text;
  const { judge } = createJudge({
    allowed: [text, 'GPL-2.0-only WITH Classpath-exception-2.0'],
    review: [],
    denied: ['MIT'],
  });
  assert.equal(judge('MIT AND Zlib', 'npm').verdict, 'allowed');
  assert.equal(judge('MIT', 'npm').verdict, 'denied');
  assert.equal(judge('GPL-2.0+ WITH Classpath-exception-2.0', 'npm').verdict, 'allowed');
});

test('hostile text is answered, and soon', () => {
  for (const text of ['('.repeat(100_000), 'MIT OR '.repeat(50_000), `MIT${' '.repeat(200_000)}x`]) {
    const start = Date.now();
    const { verdict, why } = judge(text, 'cargo');
    assert.equal(verdict, 'review');
    assert.ok(why.length < 200);
    assert.ok(Date.now() - start < 1_000);
  }
});

// ---------------------------------------------------------------- properties

const ids = ['MIT', 'ISC', 'Apache-2.0', 'MPL-2.0', 'GPL-2.0-only', 'GPL-3.0-only', 'Zlib'];
const rank = (/** @type {Verdict} */ verdict) => VERDICTS.indexOf(verdict);
const verdictOf = (/** @type {string} */ text) => judge(text, 'npm').verdict;

const { expression } = fc.letrec((/** @type {(name: string) => fc.Arbitrary<any>} */ tie) => ({
  expression: fc.oneof({ maxDepth: 4 }, fc.constantFrom(...ids), tie('or'), tie('and')),
  or: fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a} OR ${b})`),
  and: fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a} AND ${b})`),
}));
const expressions = /** @type {fc.Arbitrary<string>} */ (expression);

test('OR is the best of its sides, AND the worst, in either order', () => {
  fc.assert(
    fc.property(expressions, expressions, (a, b) => {
      const ranks = [a, b].map((side) => rank(verdictOf(side)));
      for (const [left, right] of [
        [a, b],
        [b, a],
      ]) {
        assert.equal(rank(verdictOf(`${left} OR ${right}`)), Math.min(...ranks));
        assert.equal(rank(verdictOf(`${left} AND ${right}`)), Math.max(...ranks));
      }
    }),
  );
});

test('the canonical text reads back as itself', () => {
  fc.assert(
    fc.property(expressions, (text) => {
      const canonical = readExpression(text).text;
      assert.equal(readExpression(canonical).text, canonical);
      assert.equal(verdictOf(canonical), verdictOf(text));
    }),
  );
});

test('any text gets a verdict and a reason', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('npm', 'cargo'), (text, ecosystem) => {
      const { verdict, why } = judge(text, /** @type {'npm' | 'cargo'} */ (ecosystem));
      assert.ok(VERDICTS.includes(verdict));
      assert.notEqual(why, '');
    }),
  );
});
