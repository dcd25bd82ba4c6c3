import { tick } from 'svelte';

/** What is closed at the keyboard leaves no control in focus: one goes on where it was opened. */
export function rememberFocus(): () => void {
  const before = document.activeElement as HTMLElement | null;
  return () =>
    void tick().then(() => {
      if (document.activeElement === document.body) before?.focus();
    });
}
