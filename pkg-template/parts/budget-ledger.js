// @ts-check
import { describe } from './plain.js';

/**
 * The arithmetic of budgets, over scopes that somebody else keeps. All of it is integers, so sums are exact.
 *
 * A scope that was allocated an amount spends its parent's money: the parent holds the amount as reserved, and
 * each unit the child spends moves from reserved to spent in the parent, and so on up. What a child spends
 * beyond its amount (a step that cost more than its estimate) counts in the parent too.
 *
 * @typedef {object} Scope
 * @property {string} id
 * @property {number | null} limit null while it has no budget of its own
 * @property {number} spent
 * @property {number} reserved held for steps, and lent to children
 * @property {string | null} parent
 * @property {string | null} fund the scope that lent to this one
 * @property {number} lent what that one still has reserved for it
 * @property {Map<string, { amount: number, account: string }>} holds by key
 * @property {Set<string>} settled the last keys that were settled
 *
 * @typedef {{ success: true } | { success: false, error: string }} Answer
 * @typedef {(id: string) => Scope | undefined} FindScope
 */

/** How many settled keys a scope remembers, so that settling one again counts once. */
const REMEMBERED_KEYS = 256;

/** @type {Answer} */
const YES = Object.freeze({ success: true });

/**
 * As an orchestrator's refusals, which it may become.
 *
 * @param {string} error
 * @param {'invalid_argument' | 'budget_exceeded'} [code]
 * @returns {{ success: false, error: string }}
 */
function no(error, code = 'invalid_argument') {
  return Object.defineProperty({ success: /** @type {const} */ (false), error }, 'code', { value: code });
}

/** @param {string} error */
const tooMuch = (error) => no(error, 'budget_exceeded');

/**
 * @param {string} id
 * @returns {Scope}
 */
export function newScope(id) {
  return {
    id,
    limit: null,
    spent: 0,
    reserved: 0,
    parent: null,
    fund: null,
    lent: 0,
    holds: new Map(),
    settled: new Set(),
  };
}

/**
 * @param {unknown} value
 * @param {string} name
 * @returns {string | null} what is wrong with an amount, as a sentence
 */
export function amountProblem(value, name) {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return null;
  return `${name}: expected an integer that is not negative, found ${describe(value)}`;
}

/**
 * What was spent was spent: a fraction counts as a whole one, so that a limit is never passed unseen.
 *
 * @param {number} spent
 */
function wholeOf(spent) {
  return Number.isFinite(spent) ? Math.ceil(spent) : spent;
}

/**
 * @param {unknown} value
 * @param {string} name
 */
export function nameProblem(value, name) {
  return typeof value === 'string' ? null : `${name}: expected a string, found ${describe(value)}`;
}

/**
 * @param {FindScope} find
 * @param {(id: string) => Scope} make finds a scope or makes it
 */
export function createLedger(find, make) {
  /**
   * @param {string} id
   * @returns {Scope | undefined} where the money of a scope comes from: its own budget or the nearest ancestor's
   */
  function accountOf(id) {
    let scope = find(id);
    while (scope !== undefined && scope.limit === null) {
      scope = scope.parent === null ? undefined : find(scope.parent);
    }
    return scope;
  }

  /**
   * @param {Scope} account
   * @param {number} amount
   * @returns {Answer}
   */
  function room(account, amount) {
    return account.spent + account.reserved + amount <= Number(account.limit)
      ? YES
      : tooMuch('Budget exceeded');
  }

  /**
   * @param {Scope} account
   * @param {number} amount
   */
  function charge(account, amount) {
    /** @type {Scope | undefined} */
    let scope = account;
    while (scope !== undefined) {
      scope.spent += amount;
      const covered = Math.min(amount, scope.lent);
      scope.lent -= covered;
      scope = scope.fund === null ? undefined : find(scope.fund);
      if (scope !== undefined) scope.reserved -= covered;
    }
  }

  /**
   * @param {Scope} account
   * @param {number} amount
   */
  function canCount(account, amount) {
    /** @type {Scope | undefined} */
    let scope = account;
    while (scope !== undefined) {
      if (!Number.isSafeInteger(scope.spent + amount)) return false;
      scope = scope.fund === null ? undefined : find(scope.fund);
    }
    return true;
  }

  /**
   * @param {string} id
   * @param {string} ancestor
   */
  function descendsFrom(id, ancestor) {
    // By names, as a parent may be named before anything else is known of it.
    for (let at = /** @type {string | null} */ (id); at !== null; at = find(at)?.parent ?? null) {
      if (at === ancestor) return true;
    }
    return false;
  }

  /**
   * @param {string} id
   * @param {number} [cost]
   * @returns {Answer}
   */
  function canSpend(id, cost) {
    const problem =
      nameProblem(id, 'scopeId') ?? (cost == null ? null : amountProblem(cost, 'estimatedCost'));
    if (problem !== null) return no(problem);
    const account = accountOf(id);
    if (account === undefined) return tooMuch('No budget found');
    // Without a cost the question is whether anything is left.
    return room(account, cost ?? 1);
  }

  /**
   * @param {string} id
   * @param {number} spent
   * @returns {Answer}
   */
  function recordSpend(id, spent) {
    const amount = wholeOf(spent);
    const problem = nameProblem(id, 'scopeId') ?? amountProblem(amount, 'amount');
    if (problem !== null) return no(problem);
    const account = accountOf(id) ?? make(id);
    if (!canCount(account, amount)) return no(`amount: ${amount} more can't be counted exactly`);
    charge(account, amount);
    return YES;
  }

  /**
   * @param {string} id
   * @param {number} amount
   * @param {string} key
   * @returns {Answer}
   */
  function reserve(id, amount, key) {
    const problem = nameProblem(id, 'scopeId') ?? amountProblem(amount, 'amount') ?? nameProblem(key, 'key');
    if (problem !== null) return no(problem);
    const scope = find(id);
    if (scope?.holds.has(key) || scope?.settled.has(key)) return YES;
    const account = accountOf(id);
    if (account === undefined) return tooMuch('No budget found');
    const answer = room(account, amount);
    if (!answer.success) return answer;
    account.reserved += amount;
    make(id).holds.set(key, { amount, account: account.id });
    return YES;
  }

  /**
   * @param {string} id
   * @param {string} key
   * @param {number} spent
   * @returns {Answer}
   */
  function settle(id, key, spent) {
    const actual = wholeOf(spent);
    const problem = nameProblem(id, 'scopeId') ?? nameProblem(key, 'key') ?? amountProblem(actual, 'actual');
    if (problem !== null) return no(problem);
    const scope = make(id);
    if (scope.settled.has(key)) return YES;
    const hold = scope.holds.get(key);
    const account = hold === undefined ? (accountOf(id) ?? scope) : make(hold.account);
    if (!canCount(account, actual)) return no(`actual: ${actual} more can't be counted exactly`);
    if (hold !== undefined) account.reserved -= hold.amount;
    scope.holds.delete(key);
    charge(account, actual);
    scope.settled.add(key);
    if (scope.settled.size > REMEMBERED_KEYS) {
      const [oldest] = scope.settled;
      scope.settled.delete(/** @type {string} */ (oldest));
    }
    return YES;
  }

  /**
   * @param {string} id
   * @param {string} key
   * @returns {Answer}
   */
  function release(id, key) {
    const scope = find(id);
    const hold = scope?.holds.get(key);
    if (scope === undefined || hold === undefined) return YES;
    make(hold.account).reserved -= hold.amount;
    scope.holds.delete(key);
    return YES;
  }

  /**
   * @param {string} child
   * @param {string} parent
   * @returns {Answer}
   */
  function setParent(child, parent) {
    const problem = nameProblem(child, 'childScopeId') ?? nameProblem(parent, 'parentScopeId');
    if (problem !== null) return no(problem);
    const known = find(child)?.parent ?? parent;
    if (known !== parent) return no(`The scope ${describe(child)} is a child of ${describe(known)} already`);
    if (descendsFrom(parent, child)) return no(`The scope ${describe(child)} can't be a child of its own`);
    make(child).parent = parent;
    return YES;
  }

  /**
   * @param {string} from
   * @param {string} to
   * @param {number} amount
   * @returns {Answer}
   */
  function allocate(from, to, amount) {
    const problem =
      nameProblem(from, 'fromScopeId') ?? nameProblem(to, 'toScopeId') ?? amountProblem(amount, 'amount');
    if (problem !== null) return no(problem);
    const account = accountOf(from);
    if (account === undefined) return tooMuch('No budget found');
    const fund = find(to)?.fund ?? account.id;
    if (fund !== account.id) return no(`The scope ${describe(to)} draws on ${describe(fund)} already`);
    if (!Number.isSafeInteger(amount + (find(to)?.limit ?? 0)))
      return no(`amount: ${amount} is too much to count`);
    const answer = room(account, amount);
    if (!answer.success) return answer;
    const linked = to !== from && descendsFrom(to, from) ? YES : setParent(to, from);
    if (!linked.success) return linked;
    const child = make(to);
    child.fund = account.id;
    child.limit = (child.limit ?? 0) + amount;
    child.lent += amount;
    account.reserved += amount;
    return YES;
  }

  /**
   * @param {string} id
   * @returns {{ success: true, amount: number } | { success: false, error: string }}
   */
  function reclaim(id) {
    const scope = find(id);
    const fund = scope?.fund == null ? undefined : find(scope.fund);
    if (scope === undefined || fund === undefined) return { success: true, amount: 0 };
    const amount = Math.max(0, scope.lent - scope.reserved);
    const limit = Number(scope.limit);
    scope.limit = Math.min(limit, Math.max(limit - amount, scope.spent + scope.reserved));
    scope.lent -= amount;
    fund.reserved -= amount;
    return { success: true, amount };
  }

  return { canSpend, recordSpend, reserve, settle, release, setParent, allocate, reclaim };
}
