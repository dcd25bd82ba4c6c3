/** What differs between two values, member by member. */

export interface Difference {
  /** The keys that lead to it. */
  path: string[];
  kind: 'added' | 'changed' | 'removed';
  before: unknown;
  after: unknown;
}

/** How many differences are looked for, and how deep. */
const MOST = 100;
const DEEPEST = 5;

export function differences(before: unknown, after: unknown, had: boolean): Difference[] {
  if (!had) return [{ path: [], kind: 'added', before: undefined, after }];
  const found: Difference[] = [];
  compare(before, after, [], found);
  return found;
}

function compare(before: unknown, after: unknown, path: string[], found: Difference[]): void {
  if (found.length >= MOST || Object.is(before, after)) return;
  if (path.length >= DEEPEST || !isSameKind(before, after)) {
    if (!isSame(before, after)) found.push({ path, kind: 'changed', before, after });
    return;
  }
  const [old, young] = [before as Record<string, unknown>, after as Record<string, unknown>];
  for (const key of new Set([...Object.keys(old), ...Object.keys(young)])) {
    if (found.length >= MOST) return;
    const at = [...path, key];
    if (!Object.hasOwn(young, key))
      found.push({ path: at, kind: 'removed', before: old[key], after: undefined });
    else if (!Object.hasOwn(old, key))
      found.push({ path: at, kind: 'added', before: undefined, after: young[key] });
    else compare(old[key], young[key], at, found);
  }
}

/** Are both lists, or both objects? */
function isSameKind(a: unknown, b: unknown): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
  return Array.isArray(a) === Array.isArray(b);
}

/** Deep down, where differences are no longer told apart. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isSameKind(a, b)) return false;
  try {
    return JSON.stringify(a) === JSON.stringify(b);
  } catch {
    return false;
  }
}
