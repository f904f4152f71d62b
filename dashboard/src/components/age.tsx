import { formatAge, formatTime } from '../format/times.ts';
import { useNow } from './use-now.ts';

/** How long ago something was; the exact time on hover. */
export function Age({ at }: { at: string | null }) {
  const now = useNow();
  if (at === null) return '–';
  return (
    <time dateTime={at} title={formatTime(at)}>
      {formatAge(at, now)}
    </time>
  );
}
