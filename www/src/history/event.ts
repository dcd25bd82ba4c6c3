/** Events as they are read: a history may come from a file that anybody wrote, so nothing in it is taken for granted. */

export const STEP_STATUSES = ['pending', 'waiting', 'running', 'done', 'failed', 'skipped'] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** What the page needs of one event. */
export interface Fact {
  /** Its place in the history, from 0. Numbers may be missing or wrong; places are neither. */
  place: number;
  /** Its number, as it says itself; its place + 1 where it says none. */
  seq: number;
  type: string;
  /** Unix epoch milliseconds; that of the event before where it says none. */
  time: number;
  /** Who says so: the engine, or an agent. */
  source: string;
  /** The place of the event that caused it; -1 where nothing did. */
  cause: number;
  step: string | undefined;
  item: number | undefined;
  round: number | undefined;
  attempt: number | undefined;
  status: StepStatus | undefined;
  agent: string | undefined;
  error: { code: string; message: string } | undefined;
  cost: number | undefined;
  /** Whole, as it came. */
  payload: Readonly<Record<string, unknown>>;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** A member of the object's own: `__proto__` and what is inherited are none. */
export function member(object: unknown, key: string): unknown {
  return isRecord(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

/** The latest moment that a Date can tell. */
const LAST_MOMENT = 8.64e15;

export function momentOf(value: unknown): number | undefined {
  const number = numberOf(value);
  return number !== undefined && Math.abs(number) <= LAST_MOMENT ? number : undefined;
}

export function errorOf(value: unknown): { code: string; message: string } | undefined {
  if (!isRecord(value)) return undefined;
  return {
    code: textOf(member(value, 'code')) ?? 'unknown',
    message: textOf(member(value, 'message')) ?? '',
  };
}

const NOTHING: Record<string, unknown> = Object.freeze({});

/**
 * Reads one event.
 *
 * @param before the fact before it
 * @param placeOf where the event with a span id stands
 */
export function factOf(
  event: unknown,
  place: number,
  before: Fact | undefined,
  placeOf: (span: string) => number | undefined,
): Fact {
  const given = member(event, 'payload');
  const payload = isRecord(given) ? given : NOTHING;
  const type = textOf(member(event, 'type')) ?? 'unknown';
  // What an agent's own event says of steps and costs is not the engine's word.
  const about = STEP_EVENTS.has(type) || type === 'late_result_dropped' ? payload : NOTHING;
  const status = member(about, 'status');
  const parent = textOf(member(member(event, 'trace'), 'parentId'));
  const cause = parent === undefined ? undefined : placeOf(parent);
  return {
    place,
    seq: countOf(member(event, 'seq')) ?? place + 1,
    type,
    time: momentOf(member(member(event, 'meta'), 'timestamp')) ?? before?.time ?? 0,
    source: textOf(member(member(event, 'meta'), 'source')) ?? '',
    cause: cause ?? -1,
    step: textOf(member(about, 'step')),
    item: countOf(member(about, 'item')),
    round: countOf(member(about, 'round')),
    attempt: countOf(member(about, 'attempt')),
    status: STEP_STATUSES.find((known) => known === status),
    agent: textOf(member(about, 'agent')),
    error: errorOf(member(about, 'error')),
    cost: numberOf(member(about, 'cost')),
    payload,
  };
}

/** The span that an event is. */
export function spanOf(event: unknown): string | undefined {
  return textOf(member(member(event, 'trace'), 'spanId')) ?? textOf(member(event, 'id'));
}

/** What the engine itself says of a step or an item; agents' own events have other names. */
export const STEP_EVENTS = new Set([
  'step_started',
  'step_completed',
  'step_failed',
  'step_skipped',
  'step_approved',
  'step_rejected',
  'step_recovered',
  'step_suspended',
  'round_completed',
  'approval_requested',
  'item_started',
  'item_completed',
  'item_failed',
]);
