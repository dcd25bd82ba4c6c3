// @ts-check
/** What a package says of its licence, read as an SPDX expression and judged against a policy. */
import parseSpdx from 'spdx-expression-parse';

/** From best to worst. */
export const VERDICTS = /** @type {const} */ (['allowed', 'review', 'denied']);

/**
 * @typedef {(typeof VERDICTS)[number]} Verdict
 * @typedef {{ verdict: Verdict, why: string }} Judgement
 * @typedef {Record<Verdict, string[]>} Policy canonical expressions
 *
 * One licence, or several joined. `text` is canonical: two expressions that differ only in the order, the brackets
 * or the spelling of their parts have the same.
 * @typedef {{ text: string, id: string, orLater: string | null, exception: string | null }} Licence
 * @typedef {{ text: string, join: 'AND' | 'OR', parts: Expression[] }} Compound
 * @typedef {Licence | Compound} Expression
 */

/** The deepest real expressions have about ten parts; a parser that recurses should not meet a hostile one. */
const LONGEST = 1_000;

const WORDS = { allowed: 'is allowed', review: 'needs review', denied: 'is denied' };

/**
 * @param {string} text
 * @returns {Expression} throws where it is not an SPDX expression
 */
export function readExpression(text) {
  if (text.length > LONGEST) throw new Error(`longer than ${LONGEST} characters`);
  return simplify(parseSpdx(text));
}

/**
 * @param {import('spdx-expression-parse').Info} node
 * @returns {Expression}
 */
function simplify(node) {
  if ('license' in node) return readLicence(node);
  const join = node.conjunction === 'and' ? 'AND' : 'OR';
  const parts = [node.left, node.right]
    .map(simplify)
    .flatMap((part) => ('join' in part && part.join === join ? part.parts : part));
  const different = [...new Map(parts.map((part) => [part.text, part])).values()];
  if (different.length === 1) return different[0];
  const texts = different.map((part) => ('join' in part ? `(${part.text})` : part.text));
  return { text: texts.sort().join(` ${join} `), join, parts: different };
}

/**
 * The GNU licences are the only ones whose bare number is ambiguous; SPDX has replaced "GPL-2.0" by "GPL-2.0-only" and
 * "GPL-2.0+" by "GPL-2.0-or-later".
 *
 * @param {import('spdx-expression-parse').LicenseInfo} node
 * @returns {Licence}
 */
function readLicence({ license, plus, exception: named }) {
  const exception = named ?? null;
  const gnu = /^((?:[AL]?GPL|GFDL)-\d\.\d)(-only|-or-later)?$/.exec(license);
  const later = plus === true || gnu?.[2] === '-or-later';
  const base = gnu === null ? license : `${gnu[1]}-only`;
  const id = !later ? base : gnu === null ? `${license}+` : `${gnu[1]}-or-later`;
  return { text: withException(id, exception), id, orLater: later ? base : null, exception };
}

/**
 * @param {string} id
 * @param {string | null} exception
 */
function withException(id, exception) {
  return exception === null ? id : `${id} WITH ${exception}`;
}

/**
 * A judge of what packages say, by this policy.
 *
 * @param {Policy} policy
 */
export function createJudge(policy) {
  /** @type {Map<string, Verdict>} */
  const listed = new Map(VERDICTS.flatMap((verdict) => policy[verdict].map((text) => [text, verdict])));
  return {
    /**
     * @param {string | null} stated
     * @param {'cargo' | 'npm'} ecosystem
     */
    judge: (stated, ecosystem) => judgeStated(listed, stated, ecosystem),
  };
}

/**
 * @param {ReadonlyMap<string, Verdict>} listed
 * @param {string | null} stated
 * @param {'cargo' | 'npm'} ecosystem
 * @returns {Judgement}
 */
function judgeStated(listed, stated, ecosystem) {
  const text = stated?.trim() ?? '';
  if (text === '') return review('no licence is stated');
  if (text === 'UNLICENSED') {
    return {
      verdict: listed.get('UNLICENSED') ?? 'review',
      why: 'UNLICENSED gives nobody a right to use it',
    };
  }
  const file = /^SEE LICEN[CS]E IN (.+)$/i.exec(text);
  if (file !== null) return review(`its licence is a text of its own, in ${file[1]}`);
  try {
    return judgeExpression(listed, readExpression(text));
  } catch {
    return judgeLegacy(listed, text, ecosystem);
  }
}

/**
 * Cargo once took "MIT/Apache-2.0" for "MIT OR Apache-2.0", and its documentation still says so. npm never defined a
 * slash, so there it stays unread.
 *
 * @param {ReadonlyMap<string, Verdict>} listed
 * @param {string} text
 * @param {'cargo' | 'npm'} ecosystem
 * @returns {Judgement}
 */
function judgeLegacy(listed, text, ecosystem) {
  const unread = review(`"${shorten(text)}" is not an SPDX expression`);
  if (ecosystem !== 'cargo' || !text.includes('/')) return unread;
  try {
    const expression = readExpression(text.replaceAll('/', ' OR '));
    const { verdict, why } = judgeExpression(listed, expression);
    return { verdict, why: `${why} ("/" is Cargo's old way to write OR)` };
  } catch {
    return unread;
  }
}

/**
 * What is listed as it stands counts first. Else, of alternatives the best counts, for they are ours to choose from;
 * of what holds together the worst.
 *
 * @param {ReadonlyMap<string, Verdict>} listed
 * @param {Expression} expression
 * @returns {Judgement}
 */
function judgeExpression(listed, expression) {
  const verdict = listed.get(expression.text);
  if (verdict !== undefined) return { verdict, why: `${expression.text} ${WORDS[verdict]}` };
  return 'join' in expression ? judgeCompound(listed, expression) : judgeLicence(listed, expression);
}

/**
 * @param {ReadonlyMap<string, Verdict>} listed
 * @param {Compound} compound
 * @returns {Judgement}
 */
function judgeCompound(listed, { join, parts }) {
  const judged = parts.map((part) => judgeExpression(listed, part));
  const ranks = judged.map(({ verdict }) => VERDICTS.indexOf(verdict));
  const verdict = VERDICTS[join === 'OR' ? Math.min(...ranks) : Math.max(...ranks)];
  const reasons = [...new Set(judged.filter((part) => part.verdict === verdict).map(({ why }) => why))];
  if (join === 'OR' && verdict === 'allowed') return { verdict, why: `${reasons[0]}, and may be chosen` };
  return { verdict, why: reasons.join('; ') };
}

/**
 * A licence that is not listed as it stands may be listed without its exception, or without "or later".
 *
 * @param {ReadonlyMap<string, Verdict>} listed
 * @param {Licence} licence
 * @returns {Judgement}
 */
function judgeLicence(listed, { text, id, orLater, exception }) {
  if (orLater !== null) {
    const verdict = listed.get(withException(orLater, exception));
    if (verdict !== undefined)
      return { verdict, why: `${withException(orLater, exception)} ${WORDS[verdict]}` };
  }
  if (exception === null) return review(`${text} is not in the policy`);
  const base = [id, orLater].find((name) => name !== null && listed.has(name));
  if (!base) return review(`${text} is not in the policy`);
  const verdict = listed.get(base);
  // An exception only ever adds to what a licence permits, so it can't make an allowed one worse.
  if (verdict === 'allowed')
    return { verdict, why: `${base} is allowed, and an exception only permits more` };
  return review(`${text} is not in the policy, and may be more permissive than ${base}`);
}

/**
 * @param {string} why
 * @returns {Judgement}
 */
function review(why) {
  return { verdict: 'review', why };
}

/** @param {string} text */
function shorten(text) {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
