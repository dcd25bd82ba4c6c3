/** What caused what: the events of a history as a tree. */
import type { Fact } from './event';

export interface TraceRow {
  fact: Fact;
  depth: number;
  /** How many events it caused. */
  children: number;
  open: boolean;
}

/** Children of each event, by place; under -1 those that nothing caused. */
export type Causes = Map<number, number[]>;

export function addCauses(causes: Causes, facts: readonly Fact[], from: number): void {
  for (let place = from; place < facts.length; place++) {
    const { cause } = facts[place] as Fact;
    const known = causes.get(cause);
    if (known === undefined) causes.set(cause, [place]);
    else known.push(place);
  }
}

/**
 * The rows that are seen when some are closed. A chain of single causes is not indented: only where something led to
 * several things does the tree go a level down.
 */
export function traceRows(
  causes: Causes,
  facts: readonly Fact[],
  position: number,
  closed: ReadonlySet<number>,
): TraceRow[] {
  const rows: TraceRow[] = [];
  const stack: { place: number; depth: number }[] = [];
  const push = (cause: number, depth: number) => {
    const children = causes.get(cause) ?? [];
    for (let n = children.length - 1; n >= 0; n--) {
      const place = children[n] as number;
      if (place < position) stack.push({ place, depth });
    }
  };
  push(-1, 0);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { place, depth } = next;
    const below = causes.get(place) ?? [];
    let children = 0;
    for (const child of below) if (child < position) children++;
    const open = !closed.has(place);
    rows.push({ fact: facts[place] as Fact, depth, children, open });
    if (open) push(place, children > 1 || depth === 0 ? depth + 1 : depth);
  }
  return rows;
}
