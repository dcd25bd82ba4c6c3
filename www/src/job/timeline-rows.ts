/** The rows of a timeline: the job's own, then steps in the order in which they began, each with its items. */
import type { Span } from '../history';
import type { Moment } from './moment';

export interface TimelineRow {
  key: string;
  depth: number;
  spans: readonly Span[];
  /** How many items may be unfolded. */
  items: number;
}

export function timelineRows({ history, position }: Moment, open: ReadonlySet<string>): TimelineRow[] {
  const byStep = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const { key, step = '', from } of history.spans) {
    if (from >= position || seen.has(key)) continue;
    seen.add(key);
    const known = byStep.get(step);
    if (known === undefined) byStep.set(step, [key]);
    else known.push(key);
  }
  const rows: TimelineRow[] = [];
  for (const [step, keys] of byStep) {
    const items = keys.filter((key) => key !== step);
    rows.push({ key: step, depth: 0, spans: history.spansOf(step), items: items.length });
    if (open.has(step)) {
      for (const key of items) rows.push({ key, depth: 1, spans: history.spansOf(key), items: 0 });
    }
  }
  return rows;
}

/** From when to when there is something to be seen. */
export function rangeOf({ history, position, time }: Moment): { from: number; to: number } {
  let [from, to] = [Number.POSITIVE_INFINITY, time ?? 0];
  for (const { begin, from: place } of history.spans) {
    if (place >= position) break;
    from = Math.min(from, begin);
    to = Math.max(to, begin);
  }
  const begin = Number.isFinite(from) ? from : to;
  return { from: begin, to: Math.max(to, begin + 1) };
}

export interface Bar {
  span: Span;
  left: number;
  width: number;
  isOpen: boolean;
}

/** The bars of a row, in pixels; of several within one pixel, the first. */
export function barsOf(
  spans: readonly Span[],
  position: number,
  { from, to }: { from: number; to: number },
  width: number,
): Bar[] {
  const scale = width / (to - from);
  const bars: Bar[] = [];
  let last = -1;
  for (const span of spans) {
    if (span.from >= position) break;
    const isOpen = span.to >= position;
    const left = Math.max(0, (span.begin - from) * scale);
    const end = Math.min(width, ((isOpen ? to : span.end) - from) * scale);
    if (end < last && end - left < 1) continue;
    bars.push({ span, left, width: Math.max(2, end - left), isOpen });
    last = Math.max(last, Math.floor(end) + 1);
  }
  return bars;
}
