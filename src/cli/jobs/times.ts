import { UsageError } from '../command/command-line.ts';

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitMs;

/** An ISO time, or so long before now: `30m`, `2h`, `7d`. */
export function readPast(flag: string, text: string, now: Date): Date {
  return readTime(flag, text, (ms) => new Date(now.getTime() - ms));
}

/** An ISO time, or so long after now. */
export function readFuture(flag: string, text: string, now: Date): Date {
  return readTime(flag, text, (ms) => new Date(now.getTime() + ms));
}

function readTime(flag: string, text: string, fromNow: (ms: number) => Date): Date {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount !== undefined) return fromNow(Number(amount) * unitMs[unit as Unit]);
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(NaN);
  if (Number.isNaN(time.getTime()))
    throw new UsageError(`${flag}: expected a time like 2026-11-22T08:00Z, or 30m, 2h, 7d, got "${text}"`);
  return time;
}

/** UTC, to the second: `2026-11-22 08:00:00`. */
export function toUtc(time: Date | null): string | null {
  return time && time.toISOString().slice(0, 19).replace('T', ' ');
}

/** `340 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`. */
export function toDuration(ms: number | null): string | null {
  if (ms === null) return null;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const [first, second] = ms < 3_600_000 ? (['m', 's'] as const) : (['h', 'm'] as const);
  const names = { m: 'min', s: 's', h: 'h' };
  const rest = Math.floor((ms % unitMs[first]) / unitMs[second]);
  return `${Math.floor(ms / unitMs[first])} ${names[first]} ${rest} ${names[second]}`;
}

/** The least id that a job of this time can have: ids are ordered by time (UUID version 7, RFC 9562). */
export function firstIdAt(time: Date): string {
  const hex = Math.max(0, time.getTime()).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
