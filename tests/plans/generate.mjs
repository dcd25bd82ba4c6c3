// @ts-check
/** Random plans without problems: every kind of step, every key, child plans in child plans. */
import fc from 'fast-check';

const reserved = ['__proto__', 'constructor', 'prototype'];
const longest = { maxLength: 12 };

/** Names that mean something to somebody: mermaid, markdown, HTML, JavaScript. */
export const hostileNames = [
  ...[
    'end',
    'subgraph',
    'style',
    'class',
    'default',
    'o',
    'x',
    'toString',
    'hasOwnProperty',
    '__proto__',
    '0',
    ' ',
  ],
  ...[
    '"',
    '`a`',
    '[a]',
    '(a)',
    '{a}',
    '</p>',
    '<b>bold</b>',
    '<img src=x onerror=alert(1)>',
    '#35;',
    '&amp;',
  ],
  ...[
    '1. one',
    '- one',
    '# one',
    '> one',
    '**a**',
    '_a_',
    'a\nb',
    'a\\nb',
    '%% a',
    '%%{init: {}}%%',
    '$$a$$',
  ],
  ...[
    'fa:fa-ban',
    'www.example.com',
    'style a:#fff;',
    'classDef a:#fff;',
    'a --> b',
    '👩‍👩‍👧',
    '\u202eabc',
    '\u0000',
  ],
  'x'.repeat(1_000),
  '"'.repeat(1_000),
];

/** Names as people give them, and as nobody should. */
export const anyName = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}(-[a-z]{1,8})?$/),
  fc.string({ minLength: 1, unit: 'binary', ...longest }),
  fc.string({ minLength: 1, unit: 'grapheme', ...longest }),
  fc.constantFrom(...hostileNames),
);

const text = fc.oneof(anyName, fc.constant(''));
const ms = fc.oneof(
  fc.integer({ min: 1, max: 1_000_000_000 }),
  fc.constantFrom(1_000, 60_000, 259_200_000, 0.5),
);
const amount = fc.double({ min: 0, max: 1e9, noNaN: true });
const count = fc.integer({ min: 1, max: 9 });

const { rule } = fc.letrec((tie) => ({
  rule: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.oneof(fc.boolean(), fc.integer(), fc.string(longest), fc.constant(null)),
    fc.record({ var: fc.constantFrom('a', 'a.b', 'list.0', '') }),
    fc.record({ '!': tie('rule') }),
    fc.record({ '==': fc.tuple(tie('rule'), tie('rule')) }),
    fc.record({ and: fc.array(tie('rule'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ if: fc.tuple(tie('rule'), tie('rule'), tie('rule')) }),
    fc.array(tie('rule'), { maxLength: 2 }),
  ),
}));

const retry = fc.record(
  {
    maxAttempts: count,
    backoffMs: amount,
    factor: fc.double({ min: 1, max: 9, noNaN: true }),
    maxBackoffMs: amount,
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  },
  { requiredKeys: ['maxAttempts'] },
);
const permissions = fc.record(
  { allowTools: fc.boolean(), requireApproval: fc.boolean(), maxSteps: fc.nat() },
  { requiredKeys: [] },
);
const wait = fc.oneof(
  fc.record({ ms }),
  fc.record(
    {
      signal: fc.oneof(anyName, fc.uniqueArray(anyName, { minLength: 1, maxLength: 3 })),
      timeoutMs: fc.integer({ min: 1 }),
    },
    { requiredKeys: ['signal'] },
  ),
);

/** @type {Record<string, fc.Arbitrary<any>>} */
const common = { when: rule, breakpoint: fc.boolean(), onError: fc.constantFrom('fail', 'continue') };
const work = {
  input: rule,
  retry,
  timeoutMs: fc.integer({ min: 1 }),
  tools: fc.uniqueArray(anyName, { maxLength: 3 }),
  cost: amount,
  approval: fc.boolean(),
};

/** @param {fc.Arbitrary<any>} plan */
function stepsOf(plan) {
  const job = fc.record({ plan, permissions, budget: amount, context: rule }, { requiredKeys: ['plan'] });
  const optional = (/** @type {Record<string, fc.Arbitrary<any>>} */ keys, /** @type {string} */ kind) =>
    fc.record({ ...common, ...keys }, { requiredKeys: [kind] });
  const agent = anyName.filter((name) => !reserved.includes(name));
  return fc.oneof(
    optional({ agent, ...work }, 'agent'),
    optional({ agent, ...work, forEach: fc.array(rule, { maxLength: 2 }) }, 'agent'),
    optional({ agent, ...work, repeat: fc.record({ until: rule, max: count }) }, 'agent'),
    optional({ job, approval: fc.boolean(), timeoutMs: fc.integer({ min: 1 }) }, 'job'),
    optional({ job, forEach: fc.array(rule, { maxLength: 2 }) }, 'job'),
    optional({ wait }, 'wait'),
    optional({ approve: fc.record({ message: text }, { requiredKeys: [] }) }, 'approve'),
  );
}

/**
 * @param {fc.Arbitrary<string>} ids
 * @param {number} depth how many plans a child plan may be in
 * @returns {fc.Arbitrary<any>}
 */
export function plans(ids = anyName.filter((name) => !reserved.includes(name)), depth = 2) {
  const child = depth > 0 ? plans(ids, depth - 1) : fc.constant({ steps: [] });
  const options = { maxLength: depth === 2 ? 7 : 3, selector: (/** @type {any} */ entry) => entry[0] };
  const after = fc.option(fc.uniqueArray(fc.nat(), { maxLength: 3 }), { nil: undefined, freq: 2 });
  return fc
    .record(
      {
        name: text,
        version: fc.oneof(fc.string(longest), fc.integer()),
        concurrency: count,
        entries: fc.uniqueArray(fc.tuple(ids, stepsOf(child), after), options),
      },
      { requiredKeys: ['entries'] },
    )
    .map(({ entries, ...plan }) => ({
      ...plan,
      steps: entries.map(([id, step, after], index) => ({
        id,
        ...step,
        // Only steps before it, so that there is no cycle.
        ...(after && { after: [...new Set(index === 0 ? [] : after.map((n) => entries[n % index]?.[0]))] }),
      })),
    }));
}
