/** What this browser remembers of how the page is liked. */

export type Theme = 'system' | 'light' | 'dark';

const THEMES: Theme[] = ['system', 'light', 'dark'];
const PREFIX = 'jobwright:';
export const SLOWEST_MS = 5_000;

/** Where storage is blocked, nothing is remembered. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {}
}

function readTheme(): Theme {
  return THEMES.find((theme) => theme === read('theme')) ?? 'system';
}

function readPace(): number {
  const ms = Number(read('slow-play'));
  return Number.isInteger(ms) && ms >= 0 && ms <= SLOWEST_MS ? ms : 0;
}

export const settings = $state({ theme: readTheme(), slowPlayMs: readPace() });

export function applyTheme(): void {
  const { theme } = settings;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function setTheme(theme: Theme): void {
  settings.theme = theme;
  write('theme', theme);
  applyTheme();
}

export function setPace(ms: number): void {
  settings.slowPlayMs = ms;
  write('slow-play', String(ms));
}

/** What other tabs change is changed here. */
export function followOtherTabs(changed: () => void): () => void {
  const listener = ({ key }: StorageEvent) => {
    if (key === null || key === `${PREFIX}theme`) {
      settings.theme = readTheme();
      applyTheme();
    }
    if (key === null || key === `${PREFIX}slow-play`) {
      settings.slowPlayMs = readPace();
      changed();
    }
  };
  addEventListener('storage', listener);
  return () => removeEventListener('storage', listener);
}
