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
  const focused = document.activeElement;
  const around = focused instanceof HTMLElement && focused !== document.body ? chainOf(focused) : null;
  // While something is done, its controls are disabled: what was done before it must not move the focus on from there.
  if (around) used = around;
  try {
    const answer = await action();
    if ((answer as { success?: unknown } | undefined)?.success !== false) return answer;
    sayProblem(answer);
  } catch (error) {
    sayProblem(error);
  } finally {
    if (around) void keepFocus(around);
  }
  return undefined;
}

/** How long the page may take to show what was done. */
const LOOKS = 20;
const LOOK_MS = 100;
const CONTROLS = 'a[href], button:enabled, input:enabled, select:enabled';
/** The control that was used last, and what is around it. */
let used: HTMLElement[] | null = null;

/** A control that is disabled or taken away loses the focus: at the keyboard one would begin at the top of the page again. */
async function keepFocus(control: HTMLElement[]) {
  let around = control;
  const wasThere = isThere(control);
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (used !== control) return;
    if (document.activeElement === document.body) {
      // Somebody left it.
      if (wasThere && isThere(control)) return;
      const next = nearest(around);
      next?.focus();
      // It may go away as well.
      if (next) around = chainOf(next);
    } else if (document.activeElement !== around[0]) return;
  }
}

/** An element and what is around it, which it does not know when it has been taken away. */
function chainOf(element: HTMLElement): HTMLElement[] {
  const { parentElement } = element;
  return parentElement === null ? [element] : [element, ...chainOf(parentElement)];
}

const isThere = ([control]: HTMLElement[]) => control?.isConnected === true && control.matches(':enabled');

function nearest(around: HTMLElement[]): HTMLElement | null {
  if (isThere(around)) return around[0] ?? null;
  for (const each of around) {
    if (each.id === 'main') break;
    const controls = each.isConnected ? [...each.querySelectorAll<HTMLElement>(CONTROLS)] : [];
    const shown = controls.find((control) => control.getClientRects().length > 0);
    if (shown) return shown;
  }
  return document.getElementById('main');
}
