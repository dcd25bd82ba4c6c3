/** Values of jobs as text that can be shown: whatever they hold, nobody is misled by it, and nothing is long. */

import { visible } from '../display';
import { hashOfJob } from '../routes';

/** A name in a line: cut where it is long. */
export function inLine(text: unknown, most = 200): string {
  const whole = typeof text === 'string' ? text : String(text);
  const cut = whole.length > most ? `${whole.slice(0, most)}…` : whole;
  return visible(cut).replace(/[\s]+/g, ' ');
}

/** How much of a value is looked at for a line that sums it up. */
const MOST_MEMBERS = 20;

/** A value in a line, as JSON has it, cut. */
export function summary(value: unknown, most = 200): string {
  const parts: string[] = [];
  let left = most;
  const add = (text: string) => {
    parts.push(text.slice(0, Math.max(0, left)));
    left -= text.length;
  };
  write(value, add, () => left > 0, 0);
  return inLine(left < 0 ? `${parts.join('')}…` : parts.join(''), most + 1);
}

function write(value: unknown, add: (text: string) => void, goesOn: () => boolean, depth: number): void {
  if (typeof value === 'string') add(JSON.stringify(value.length > 300 ? `${value.slice(0, 300)}…` : value));
  else if (value === null || typeof value !== 'object') add(String(value));
  else if (depth > 6) add('…');
  else writeMembers(value, add, goesOn, depth);
}

function writeMembers(
  value: object,
  add: (text: string) => void,
  goesOn: () => boolean,
  depth: number,
): void {
  const isList = Array.isArray(value);
  add(isList ? '[' : '{');
  let count = 0;
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    if (!goesOn() || count >= MOST_MEMBERS) {
      add('…');
      break;
    }
    if (count > 0) add(', ');
    if (!isList) add(`${key.slice(0, 100)}: `);
    write((value as Record<string, unknown>)[key], add, goesOn, depth + 1);
    count += 1;
  }
  add(isList ? ']' : '}');
}

const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
const DAY = new Intl.DateTimeFormat('en-GB', { year: 'numeric', month: 'short', day: '2-digit' });

const isMoment = (time: unknown): time is number => typeof time === 'number' && Math.abs(time) <= 8.64e15;

/** The time of the day, with milliseconds. */
export function clockText(time: number | undefined): string {
  return isMoment(time) ? CLOCK.format(time) : 'no time';
}

export function dateText(time: number | undefined): string {
  return isMoment(time) ? `${DAY.format(time)} ${CLOCK.format(time)}` : 'no time';
}

export function durationText(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return inTwo(ms, 60_000, 'min', 1_000, 's');
  if (ms < 86_400_000) return inTwo(ms, 3_600_000, 'h', 60_000, 'min');
  return inTwo(ms, 86_400_000, 'd', 3_600_000, 'h');
}

/** A duration in a unit and the next smaller one. */
function inTwo(ms: number, large: number, name: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${name}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

export function amountText(amount: number | undefined): string {
  return amount === undefined || Number.isNaN(amount) ? '–' : NUMBER.format(amount);
}

export function jobLink(jobId: string, view?: string): string {
  return `${hashOfJob(jobId)}${view === undefined ? '' : `/${view}`}`;
}

/** `1 step`, `2 steps`. */
export function counted(count: number, noun: string): string {
  return `${amountText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
