// @ts-check
import { amountProblem, newScope } from './budget-ledger.js';
import { JobwrightError } from './errors.js';
import { describe } from './plain.js';

/**
 * Budgets kept in anything like a Map, sync or async: one plain JSON value for each scope.
 *
 * @typedef {import('./budget-ledger.js').Scope} Scope
 *
 * @typedef {object} BudgetStore
 * @property {(key: string) => unknown} get
 * @property {(key: string, value: object) => unknown} set
 */

/**
 * @param {unknown} store
 * @returns {BudgetStore}
 */
export function checkBudgetStore(store) {
  const { get, set } = /** @type {Partial<BudgetStore>} */ (store ?? {});
  if (typeof get === 'function' && typeof set === 'function') return /** @type {BudgetStore} */ (store);
  throw new TypeError(
    `createBudgetManager: store: expected an object with get and set, as a Map, found ${describe(store)}`,
  );
}

/** @param {string} id */
function keyOf(id) {
  return `budget:${id}`;
}

/**
 * @param {BudgetStore} store
 * @param {string[]} ids
 * @returns {Promise<Map<string, Scope>>} these scopes and those they draw on
 */
export async function loadScopes(store, ids) {
  /** @type {Map<string, Scope>} */
  const scopes = new Map();
  const wanted = [...ids];
  for (let id = wanted.pop(); id !== undefined; id = wanted.pop()) {
    if (typeof id !== 'string' || scopes.has(id)) continue;
    const scope = readScope(id, await store.get(keyOf(id)));
    if (scope === undefined) continue;
    scopes.set(id, scope);
    for (const other of [scope.parent, scope.fund]) if (other !== null) wanted.push(other);
  }
  return scopes;
}

/** Under which what is being written stands, until all of it is. No scope's key begins like that. */
const UNFINISHED = 'budgets:unfinished';

/**
 * Writes all of these scopes or, whatever dies, none: several are first written down together, and from there one by
 * one by whoever comes next.
 *
 * @param {BudgetStore} store
 * @param {Scope[]} scopes
 */
export async function saveScopes(store, scopes) {
  const entries = scopes.map((scope) => ({ id: scope.id, scope: writeScope(scope) }));
  if (entries.length > 1) await store.set(UNFINISHED, { entries });
  for (const { id, scope } of entries) await store.set(keyOf(id), scope);
  if (entries.length > 1) await store.set(UNFINISHED, { entries: [] });
}

/**
 * Ends what a manager before this one had begun to write.
 *
 * @param {BudgetStore} store
 */
export async function finishSaving(store) {
  const { entries = [] } = /** @type {any} */ ((await store.get(UNFINISHED)) ?? {});
  if (!Array.isArray(entries)) {
    throw new JobwrightError(`What stands under ${describe(UNFINISHED)} can't be read`, { code: 'internal' });
  }
  if (entries.length === 0) return;
  for (const { id, scope } of entries) await store.set(keyOf(id), scope);
  await store.set(UNFINISHED, { entries: [] });
}

/** @param {Scope} scope */
export function writeScope({ holds, settled, ...scope }) {
  return { ...scope, holds: [...holds].map(([key, hold]) => ({ key, ...hold })), settled: [...settled] };
}

/**
 * @param {string} id
 * @param {any} value
 * @returns {Scope | undefined}
 */
function readScope(id, value) {
  if (value === undefined || value === null) return undefined;
  const { limit = null, spent, reserved, parent = null, fund = null, lent, holds, settled } = value;
  const problem =
    (limit === null ? null : amountProblem(limit, 'limit')) ??
    amountProblem(spent, 'spent') ??
    amountProblem(reserved, 'reserved') ??
    amountProblem(lent, 'lent') ??
    (Array.isArray(holds) && Array.isArray(settled) ? null : 'holds and settled: expected arrays');
  if (problem !== null) {
    throw new JobwrightError(`The stored budget of ${describe(id)} can't be read: ${problem}`, {
      code: 'internal',
    });
  }
  return {
    ...newScope(id),
    limit,
    spent,
    reserved,
    parent,
    fund,
    lent,
    holds: new Map(holds.map((/** @type {any} */ { key, amount, account }) => [key, { amount, account }])),
    settled: new Set(settled),
  };
}
