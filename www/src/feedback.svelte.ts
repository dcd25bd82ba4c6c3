/** What the page says of what was asked: refusals and failures, until they are dismissed. */
import { shown } from './display';

export interface Notice {
  id: number;
  kind: 'problem' | 'done';
  message: string;
  code: string | null;
}

/** The latest few; more would hide the page. */
const KEPT = 4;
const DONE_MS = 6_000;

export const notices: Notice[] = $state([]);
let last = 0;

export function say(message: string, kind: Notice['kind'] = 'done', code: string | null = null): void {
  last += 1;
  const id = last;
  notices.push({ id, kind, message: shown(message, 600), code });
  if (notices.length > KEPT) notices.splice(0, notices.length - KEPT);
  if (kind === 'done') setTimeout(() => dismiss(id), DONE_MS);
}

export function sayProblem(error: unknown): void {
  const { message, error: sentence, code } = (error ?? {}) as Record<string, unknown>;
  const text = sentence ?? message ?? String(error);
  say(String(text), 'problem', typeof code === 'string' ? code : null);
}

export function dismiss(id: number): void {
  const at = notices.findIndex((notice) => notice.id === id);
  if (at !== -1) notices.splice(at, 1);
}

/** Does something that may be refused or fail; which is then said, and the answer is undefined. */
export async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    const answer = await action();
    if ((answer as { success?: unknown } | undefined)?.success !== false) return answer;
    sayProblem(answer);
  } catch (error) {
    sayProblem(error);
  }
  return undefined;
}
