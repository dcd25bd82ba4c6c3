// @ts-check
/**
 * Random rules and data for them, all from one seed. Most rules are sensible, or errors would be all that is compared:
 * numbers stand where numbers are wanted, lists where lists are, and names lead somewhere.
 */

/** @typedef {import('../differential/random.mjs').Random} Random */
/** @typedef {null | boolean | number | string | Json[] | { [key: string]: Json }} Json */
/** @typedef {'number' | 'text' | 'list' | 'truth' | 'any'} Want what a rule is to give */

/**
 * @typedef {object} Place where in a rule
 * @property {Random} random
 * @property {number} depth how much deeper it may go
 * @property {number} scopes the iterations around it
 */

const KEYS = ['a', 'b', 'list', 'n', 's', 'o', 'é😀', 'x.y', ''];
const SMALL = [0, 1, 2, 3, 10, -1, -2, 0.5];
const NUMBERS = [...SMALL, -2.75, 0.1, 1e21, 1.5e-7, 123456789, 1e308, 4294967296.5, 2 ** 53];
const NUMERALS = [
  '0',
  '12',
  ' 7 ',
  '-3.5',
  '1.0',
  '.5',
  '5.',
  '1e3',
  '0x1F',
  '0b101',
  'Infinity',
  '-Infinity',
];
const TEXTS = [
  ...['', 'x', 'abc', 'b', 'zz', 'a,b', 'é😀', '😀a😀', 'ﬀ', '\u0000', 'null', 'type', '1_000', 'NaN'],
  ...NUMERALS,
];
const NAMES = {
  number: ['n', 'o.n', 'list.length', 's.length', 'b.n'],
  text: ['s', 'o.s', 's.0', 'b.s', 'list.1.s'],
  list: ['list', 'o.list', 'b.list', 'list.0.list'],
  truth: ['b', 'o.b', 'list.0'],
  any: [
    ...[
      '',
      'a',
      'a.b',
      'o',
      'b',
      'é😀',
      'x\\.y',
      'nowhere',
      'list.01',
      'list.2',
      's.1',
      '.',
      '..',
      'o.',
      'o\\.n',
    ],
    ...[
      'type',
      'index',
      'accumulator.0',
      '../a',
      '../index',
      '../iterator',
      '../../../index',
      '../../../../../n',
    ],
    ...[
      'constructor',
      'toString',
      '__proto__',
      'list.constructor.name',
      's.at',
      'n.constructor',
      'o.__proto__',
    ],
  ],
};
const ARITHMETIC = ['+', '-', '*', '/', '%'];
const EQUALITIES = ['==', '===', '!=', '!=='];
const ORDERS = ['<', '<=', '>', '>='];

/** @template T @param {Random} random @param {number} most @param {() => T} make @returns {T[]} */
const upTo = (random, most, make) => Array.from({ length: random.below(most + 1) }, make);

/** @param {Random} random @returns {Json} */
function scalar(random) {
  const kind = random.below(10);
  if (kind < 4) return random.pick(NUMBERS);
  if (kind < 7) return random.pick(TEXTS);
  return kind < 8 ? null : random.chance(0.5);
}

/** Any JSON. @param {Random} random @param {number} depth @returns {Json} */
function value(random, depth) {
  const kind = depth > 0 ? random.below(10) : 0;
  if (kind < 6) return scalar(random);
  const inner = () => value(random, depth - 1);
  if (kind < 8) return upTo(random, 3, inner);
  return Object.fromEntries(upTo(random, 3, () => [random.pick(KEYS), inner()]));
}

/** What the names lead to, so many levels deep. @param {Random} random @param {number} depth @returns {Json} */
function record(random, depth) {
  if (depth === 0 || random.chance(0.1)) return value(random, depth);
  const inner = () => record(random, depth - 1);
  return {
    a: value(random, 2),
    b: random.chance(0.5) ? random.chance(0.5) : inner(),
    list: upTo(random, 3, random.chance(0.5) ? inner : () => scalar(random)),
    n: random.pick(NUMBERS),
    s: random.pick(TEXTS),
    ...(random.chance(0.7) && { o: inner() }),
  };
}

/** @param {Random} random */
export const randomData = (random) => record(random, 3);

/** Data, as a rule. @param {Place} place @param {Want} want @returns {Json} */
function constant({ random }, want) {
  if (want === 'number')
    return random.pick(random.chance(0.7) ? SMALL : [...NUMBERS, ...NUMERALS, null, true]);
  if (want === 'text') return random.pick(TEXTS);
  if (want === 'list') return upTo(random, 3, () => scalar(random));
  if (want === 'truth') return random.chance(0.5);
  return random.chance(0.1) ? {} : random.chance(0.2) ? { preserve: value(random, 2) } : scalar(random);
}

/** A name, most of them in reach. @param {Place} place @param {Want} want */
function name({ random, scopes }, want) {
  const plain = random.pick(NAMES[random.chance(0.05) ? 'any' : want]);
  if (scopes === 0 || random.chance(0.6)) return plain;
  if (random.chance(0.2)) return random.pick(['', 'current', 'accumulator', 'current.n', 'accumulator.list']);
  return '../'.repeat(2 * (1 + random.below(scopes))) + plain;
}

/** The keys of a `val`, most of them in reach. @param {Place} place @param {Want} want @returns {Json[]} */
function keys({ random, scopes }, want) {
  const plain = random.pick(NAMES[want]).split('.');
  if (random.chance(0.1)) plain.push(random.pick(['length', '0', '']));
  if (scopes === 0 ? random.chance(0.95) : random.chance(0.3)) return plain;
  const climb = [random.below(2 * scopes + 3) * (random.chance(0.9) ? 1 : -1)];
  return climb[0] % 2
    ? [climb, random.pick(['index', 'iterator'])].slice(0, random.chance(0.9) ? 2 : 1)
    : [climb, ...plain];
}

/** A rule without rules in it. @param {Place} place @param {Want} want @returns {Json} */
function leaf(place, want) {
  const { random } = place;
  if (random.chance(0.3)) return constant(place, want);
  return random.chance(0.7) ? { var: name(place, want) } : { val: keys(place, want) };
}

/** @param {Place} place @param {Want} want @param {number} [scopes] more around it @returns {Json} */
function rule(place, want, scopes = 0) {
  const { random, depth } = place;
  const inside = { random, depth: random.chance(0.75) ? depth - 1 : 0, scopes: place.scopes + scopes };
  const wanted = random.chance(0.06) ? 'any' : want;
  if (inside.depth <= 0) return leaf(inside, wanted);
  const groups = wanted === 'any' ? Object.values(GIVING) : [GIVING[wanted], GIVING[wanted], GIVING.any];
  return random.pick(random.pick(groups))(inside, wanted);
}

/** @param {Place} place @param {number} most @param {Want} want */
const rules = (place, most, want) => upTo(place.random, most, () => rule(place, want));

/** One thing or the other. @template T @param {Place} place @param {number} probability @param {() => T} a @param {() => T} b */
const either = (place, probability, a, b) => (place.random.chance(probability) ? a() : b());

/** An operation on a list; sometimes an argument is left out. @param {Place} place @param {string} op @param {Want} body @param {Json[]} more */
function iteration(place, op, body, more = []) {
  const args = [rule(place, 'list'), rule(place, body, 1), ...more];
  return { [op]: place.random.chance(0.03) ? args.slice(0, place.random.below(2)) : args };
}

/** @param {Place} place @returns {Json} */
function reduce(place) {
  const op = place.random.pick([...ARITHMETIC, 'cat', 'merge', 'max', 'in', '<']);
  const parts = place.random.chance(0.5) ? ['current', 'accumulator'] : ['accumulator', 'current'];
  const folding = { [op]: parts.map((part) => ({ var: part })) };
  const start = place.random.chance(0.8) ? [rule(place, 'number')] : [];
  const made = iteration(place, 'reduce', 'any', start);
  if (place.random.chance(0.6) && made.reduce.length > 1) made.reduce[1] = folding;
  return made;
}

/** @param {Place} place @param {string[]} operators @param {Want} want @returns {Json} */
function comparison(place, operators, want) {
  const { random } = place;
  const op = random.pick(operators);
  if (random.chance(0.04)) return { [op]: rule(place, 'any') };
  const first = rule(place, want);
  const more = random.chance(0.75) ? 1 : random.below(4);
  const others = Array.from({ length: more }, () => (random.chance(0.15) ? first : rule(place, want)));
  return { [op]: [first, ...others] };
}

/** What to look for, and in what. @param {Place} place @returns {Json} */
function membership(place) {
  const item = rule(place, 'any');
  if (place.random.chance(0.3)) return { in: [item, [rule(place, 'any'), item]] };
  return { in: [item, rule(place, place.random.pick(['list', 'text']))] };
}

/** @param {Place} place @returns {Json} */
function cut(place) {
  const bounds = rules(place, 2, 'number');
  return { substr: [rule(place, 'text'), ...bounds] };
}

/** The names for a `missing`. @param {Place} place @returns {Json} */
function names(place) {
  if (place.random.chance(0.1)) return rule(place, 'list');
  const list = upTo(place.random, 3, () => name(place, place.random.pick(['number', 'text', 'list', 'any'])));
  return place.random.chance(0.1) ? [list] : list;
}

/** A `var` or `val` whose name is computed, or that has a default. @param {Place} place @param {Want} want @returns {Json} */
function computed(place, want) {
  const kind = place.random.below(5);
  if (kind === 0) return { var: rule(place, 'text') };
  if (kind === 1) return { val: rule(place, 'any') };
  if (kind === 2) return { val: rules(place, 2, 'text') };
  return { var: [name(place, want), rule(place, want)] };
}

/** Alternatives, each of which may read what the one before threw. @param {Place} place @param {Want} want @returns {Json} */
function attempt(place, want) {
  if (place.random.chance(0.05))
    return {
      try: either(
        place,
        0.5,
        () => [],
        () => rule(place, want),
      ),
    };
  const first = place.random.chance(0.5) ? { throw: rule(place, 'any') } : rule(place, want);
  const error = place.random.pick(/** @type {Json[]} */ ([{ val: 'type' }, { var: 'type' }, { val: [] }]));
  return {
    try: [
      first,
      ...either(
        place,
        0.4,
        () => [error],
        () => [rule(place, want, 1)],
      ),
    ],
  };
}

/**
 * The operations by what they give, each as often as it stands there.
 *
 * @type {Record<Want, ((place: Place, want: Want) => Json)[]>}
 */
const GIVING = {
  number: [
    ...Array(5).fill((/** @type {Place} */ place) => ({
      [place.random.pick(ARITHMETIC)]: rules(place, 3, 'number'),
    })),
    (place) => ({ [place.random.pick(ARITHMETIC)]: rule(place, place.random.pick(['number', 'list'])) }),
    (place) => ({
      [place.random.pick(['max', 'min'])]: either(
        place,
        0.8,
        () => rules(place, 3, 'number'),
        () => rule(place, 'list'),
      ),
    }),
    reduce,
  ],
  text: [
    (place) => ({
      cat: either(
        place,
        0.8,
        () => rules(place, 3, 'any'),
        () => rule(place, 'any'),
      ),
    }),
    (place) => ({ cat: rules(place, 3, 'text') }),
    cut,
  ],
  list: [
    (place) => iteration(place, 'map', 'any'),
    (place) => iteration(place, 'filter', 'truth'),
    (place) => ({
      merge: either(
        place,
        0.9,
        () => rules(place, 3, 'list'),
        () => rule(place, 'any'),
      ),
    }),
    (place) => ({ missing: names(place) }),
    (place) => ({
      missing_some: [
        either(
          place,
          0.9,
          () => place.random.below(3),
          () => rule(place, 'number'),
        ),
        names(place),
      ],
    }),
    (place) => rules(place, 3, 'any'),
  ],
  truth: [
    (place) => comparison(place, ORDERS, place.random.pick(['number', 'text'])),
    (place) => comparison(place, EQUALITIES, place.random.pick(['number', 'text', 'any', 'list'])),
    (place) => ({
      [place.random.pick(['!', '!!'])]: either(
        place,
        0.5,
        () => rule(place, 'any'),
        () => rules(place, 2, 'any'),
      ),
    }),
    (place) => iteration(place, place.random.pick(['all', 'none', 'some']), 'truth'),
    (place) => ({
      exists: either(
        place,
        0.9,
        () => keys(place, 'any'),
        () => rule(place, 'text'),
      ),
    }),
    membership,
  ],
  any: [
    (place, want) => ({
      [place.random.pick(['if', '?:'])]: [rule(place, 'truth'), rule(place, want), ...rules(place, 3, want)],
    }),
    (place, want) => ({ [place.random.pick(['and', 'or', '??'])]: rules(place, 3, want) }),
    (place, want) => ({
      [place.random.pick(['if', 'and', 'or', '??'])]: either(
        place,
        0.2,
        () => rule(place, want),
        () => rules(place, 2, want),
      ),
    }),
    (place, want) =>
      either(
        place,
        0.1,
        () => ({ log: rule(place, want) }),
        () => rule(place, want),
      ),
    computed,
    attempt,
  ],
};

/** @param {Random} random @returns {Json} */
export const randomRule = (random) => rule({ random, depth: 2 + random.below(4), scopes: 0 }, 'any');
