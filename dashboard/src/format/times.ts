import { formatDuration } from './numbers.ts';

/** Date and time to the second, in the reader's zone: `2026-11-22 09:41:07`. */
export function formatTime(iso: string): string {
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `4 min 2 s ago`, `in 30 s`, `now`. */
export function formatAge(iso: string, now: number): string {
  const milliseconds = now - Date.parse(iso);
  if (Math.abs(milliseconds) < 1000) return 'now';
  const span = formatDuration(Math.floor(Math.abs(milliseconds) / 1000) * 1000).replace('.0', '');
  return milliseconds > 0 ? `${span} ago` : `in ${span}`;
}

/** What a field for date and time holds (`2026-11-22T09:41`, the reader's zone) as ISO; undefined when it is empty. */
export function isoFromField(value: string): string | undefined {
  const at = new Date(value);
  return value === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** The other way round. */
export function fieldFromIso(iso: string | undefined): string {
  if (!iso || Number.isNaN(Date.parse(iso))) return '';
  return formatTime(iso).replace(' ', 'T').slice(0, 16);
}
