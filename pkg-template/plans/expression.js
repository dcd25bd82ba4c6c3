// @ts-check

/** Operators that stand between their operands; the others are written as functions. */
const INFIX = /^(and|or|in|\W+)$/;

/**
 * A JSON Logic rule as people write one: `{ ">": [{ "var": "score" }, 0.8] }` as `score > 0.8`.
 *
 * @param {any} rule
 * @returns {string}
 */
export function expressionText(rule) {
  if (Array.isArray(rule)) return `[${rule.map(expressionText).join(', ')}]`;
  const entries = Object.entries(typeof rule === 'object' && rule ? rule : {});
  const [[operator, operands] = ['']] = entries;
  if (entries.length !== 1) return JSON.stringify(rule);
  const list = [operands].flat();
  if (/^va[rl]$/.test(operator) && typeof list[0] !== 'object') return list.join('.') || 'context';
  const texts = list.map(expressionText);
  if (texts.length < 2 || !INFIX.test(operator)) return `${operator}(${texts.join(', ')})`;
  return texts.map((text, place) => (isChain(list[place]) ? `(${text})` : text)).join(` ${operator} `);
}

/**
 * Is it written with signs between its operands?
 *
 * @param {any} rule
 */
function isChain(rule) {
  const [[operator, operands] = ['']] = Object.entries(rule ?? {});
  return INFIX.test(operator) && Array.isArray(operands) && operands.length > 1;
}
