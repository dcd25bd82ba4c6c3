/** How values are shown. All of them may be somebody's who means harm: they are text, cut, with nothing that hides. */

/** Control characters, and those that change the direction of text or can't be seen; but for line ends and tabs. */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const LENGTH = 200;

/** Text of a line or so, with what can't be seen written out; longer ones are cut. */
export function shown(value: unknown, length = LENGTH): string {
  const text = typeof value === 'string' ? value : textOf(value);
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  return visible(cut);
}

export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
  });
}

/** A value as JSON, or as what it is where it can't be JSON. */
export function textOf(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, null, indent) ?? String(value);
  } catch {
    return String(value);
  }
}

const UNITS: [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** "850 ms", "2.4 s", "3 min 20 s", "5 d 2 h"; a dash for what is no time. */
export function duration(ms: unknown): string {
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const at = UNITS.findIndex(([, size]) => ms >= size);
  const [unit, size] = UNITS[at] as [string, number];
  const [lower, small] = UNITS[at + 1] as [string, number];
  const rest = Math.floor((ms % size) / small);
  const whole = `${Math.floor(ms / size)} ${unit}`;
  return rest === 0 ? whole : `${whole} ${rest} ${lower}`;
}

export function amount(value: unknown): string {
  return typeof value === 'number' && Number.isFinite(value) ? value.toLocaleString('en') : '–';
}

export function counted(count: number, thing: string): string {
  return `${amount(count)} ${thing}${count === 1 ? '' : 's'}`;
}
