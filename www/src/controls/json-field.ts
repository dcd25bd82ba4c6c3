import { shown } from '../display';

export type Read = { ok: true; value: unknown } | { ok: false; problem: string };

/** What somebody typed as JSON; nothing is no value. */
export function jsonOf(text: string): Read {
  if (text.trim() === '') return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, problem: `Not JSON: ${shown((error as Error).message, 120)}` };
  }
}

/** The same, where only an object will do. */
export function objectOf(text: string): Read {
  const read = jsonOf(text);
  if (!read.ok) return read;
  const { value = {} } = read;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? { ok: true, value } : { ok: false, problem: 'Expected an object, as {"key": "value"}' };
}
