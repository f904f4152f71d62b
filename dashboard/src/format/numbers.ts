const NONE = '–';

/** `12,345`; a dash when there is no number. */
export function formatCount(value: number | null | undefined): string {
  return value == null ? NONE : value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}

export function formatPercent(value: number | null): string {
  return value === null ? NONE : `${value.toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
}

/** Milliseconds in the unit that suits them: `38 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function formatDuration(milliseconds: number | null | undefined): string {
  if (milliseconds == null) return NONE;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return inTwoUnits(Math.round(seconds));
}

function inTwoUnits(seconds: number): string {
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => seconds >= size);
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} kB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
