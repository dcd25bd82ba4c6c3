// @ts-check
import { amountProblem, createLedger, nameProblem, newScope } from './budget-ledger.js';
import { checkBudgetStore, finishSaving, loadScopes, saveScopes, writeScope } from './budget-store.js';
import { JobwrightError } from './errors.js';

/**
 * @typedef {import('./budget-ledger.js').Scope} Scope
 * @typedef {import('./budget-ledger.js').Answer} Answer
 * @typedef {import('./budget-store.js').BudgetStore} BudgetStore
 * @typedef {{ id: string, limit: number, spent: number, reserved: number }} Budget
 */

/**
 * @template T
 * @typedef {T | Promise<T>} Awaitable
 */

/**
 * Budgets in whole units (tokens, cents, energy), exact whatever happens at the same time.
 *
 * A scope is a job's id or any other name. `setBudget` gives it a limit, `allocate` a part of its parent's.
 * A scope without either spends the nearest ancestor's budget, once `setParent` has said whose child it is.
 * A step's estimate is held with `reserve` and replaced by its actual cost with `settle`, each once per key.
 * Refusals are values, `{ success: false, error }`: "Budget exceeded", "No budget found", or what was wrong
 * with an argument.
 *
 * Without a `store`, budgets live in memory and every method but `setBudget` and `getBudget` answers at once,
 * without a promise. With one (a Map, or anything with such `get` and `set`, sync or async) each scope is
 * kept there under `budget:<id>` as plain JSON, read for each call and written when it changed; calls then
 * take turns. One manager at a time may use a store: between two of them there is nothing to keep turns.
 *
 * @param {{ store?: object }} [options]
 */
export function createBudgetManager({ store } = {}) {
  const run = store === undefined || store === null ? runInMemory() : runOverStore(checkBudgetStore(store));

  return {
    /**
     * May this be spent? Without a cost: is anything left?
     *
     * @param {string} scopeId
     * @param {number} [estimatedCost]
     */
    canSpend: (scopeId, estimatedCost) =>
      run([scopeId], ({ ledger }) => ledger.canSpend(scopeId, estimatedCost)),

    /**
     * Counts what was spent, even past the limit: it is spent.
     *
     * @param {string} scopeId
     * @param {number} amount
     * @param {object} [_metadata] for other managers; this one keeps sums only
     */
    recordSpend: (scopeId, amount, _metadata) =>
      run([scopeId], ({ ledger }) => ledger.recordSpend(scopeId, amount)),

    /**
     * Moves an amount of the parent's limit to the child's. Doing it again adds to it.
     *
     * @param {string} fromScopeId
     * @param {string} toScopeId
     * @param {number} amount
     */
    allocate: (fromScopeId, toScopeId, amount) =>
      run([fromScopeId, toScopeId], ({ ledger }) => ledger.allocate(fromScopeId, toScopeId, amount)),

    /**
     * Gives back to the parent what a child was allocated and has neither spent nor reserved.
     *
     * @param {string} childScopeId
     */
    reclaim: (childScopeId) => run([childScopeId], ({ ledger }) => ledger.reclaim(childScopeId)),

    /**
     * Says whose child a scope is, so that it spends the parent's budget while it has none of its own.
     *
     * @param {string} childScopeId
     * @param {string} parentScopeId
     */
    setParent: (childScopeId, parentScopeId) =>
      run([childScopeId, parentScopeId], ({ ledger }) => ledger.setParent(childScopeId, parentScopeId)),

    /**
     * Holds an amount, so that others can't spend it. The same key again holds nothing more.
     *
     * @param {string} scopeId
     * @param {number} amount
     * @param {string} key
     */
    reserve: (scopeId, amount, key) => run([scopeId], ({ ledger }) => ledger.reserve(scopeId, amount, key)),

    /**
     * Replaces what is held under the key by what it really cost, once. It is counted even where that is more.
     *
     * @param {string} scopeId
     * @param {string} key
     * @param {number} actual
     */
    settle: (scopeId, key, actual) => run([scopeId], ({ ledger }) => ledger.settle(scopeId, key, actual)),

    /**
     * Gives back what is held under the key. A key that holds nothing does no harm.
     *
     * @param {string} scopeId
     * @param {string} key
     */
    release: (scopeId, key) => run([scopeId], ({ ledger }) => ledger.release(scopeId, key)),

    /**
     * Sets a scope's limit. What was spent and is held stays.
     *
     * @param {string} scopeId
     * @param {number} limit
     * @returns {Promise<{ success: true }>} rejects with a JobwrightError where the limit is none
     */
    setBudget: async (scopeId, limit) => {
      const problem = nameProblem(scopeId, 'scopeId') ?? amountProblem(limit, 'limit');
      if (problem !== null) throw new JobwrightError(`setBudget: ${problem}`, { code: 'invalid_argument' });
      await run([scopeId], ({ make }) => {
        make(scopeId).limit = limit;
      });
      return { success: true };
    },

    /**
     * @param {string} scopeId
     * @returns {Promise<Budget | null>} null where the scope has no budget of its own
     */
    getBudget: async (scopeId) =>
      run([scopeId], ({ find }) => {
        const scope = find(scopeId);
        if (scope === undefined || scope.limit === null) return null;
        return { id: scopeId, limit: scope.limit, spent: scope.spent, reserved: scope.reserved };
      }),
  };
}

/**
 * @param {() => Map<string, Scope>} scopes
 */
function createBooks(scopes) {
  /** @param {string} id */
  const find = (id) => scopes().get(id);
  /** @param {string} id */
  const make = (id) => {
    const scope = find(id) ?? newScope(id);
    scopes().set(id, scope);
    return scope;
  };
  return { find, make, ledger: createLedger(find, make) };
}

/** @typedef {ReturnType<typeof createBooks>} Books */

function runInMemory() {
  /** @type {Map<string, Scope>} */
  const scopes = new Map();
  const books = createBooks(() => scopes);
  /**
   * @template T
   * @param {string[]} _ids
   * @param {(books: Books) => T} act
   * @returns {Awaitable<T>}
   */
  return (_ids, act) => act(books);
}

/** @param {BudgetStore} store */
function runOverStore(store) {
  /** @type {Map<string, Scope>} */
  let scopes = new Map();
  const books = createBooks(() => scopes);
  /** @type {Promise<unknown>} */
  let turn = Promise.resolve();
  /** Was all that was begun to be written written? Not known at first, nor where the store failed. */
  let finished = false;

  /**
   * @template T
   * @param {string[]} ids
   * @param {(books: Books) => T} act
   * @returns {Promise<T>}
   */
  async function takeTurn(ids, act) {
    if (!finished) await finishSaving(store);
    finished = true;
    scopes = await loadScopes(store, ids);
    const before = new Map([...scopes].map(([id, scope]) => [id, JSON.stringify(writeScope(scope))]));
    const result = act(books);
    const isChanged = (/** @type {Scope} */ scope) =>
      before.get(scope.id) !== JSON.stringify(writeScope(scope));
    finished = false;
    await saveScopes(store, [...scopes.values()].filter(isChanged));
    finished = true;
    return result;
  }

  /**
   * @template T
   * @param {string[]} ids
   * @param {(books: Books) => T} act
   * @returns {Awaitable<T>}
   */
  return (ids, act) => {
    const mine = turn.then(() => takeTurn(ids, act));
    turn = mine.catch(() => undefined);
    return mine;
  };
}
