import type { ReactNode } from 'react';
import type { Overview } from '../../data/rows.ts';
import { formatCount, formatDuration, formatPercent } from '../../format/numbers.ts';
import { href } from '../../location/route.ts';
import classes from './tiles.module.css';

/** The figures that answer “is everything all right?”; those that are lists of jobs lead to them. */
export function Tiles({ totals }: { totals: Overview['totals'] }) {
  const oldest = totals.oldest_queued_seconds;
  return (
    <div className={classes.tiles}>
      <Tile label="Queued" to={{ status: 'queued' }} note={`${formatCount(totals.due)} due now`}>
        {formatCount(totals.queued)}
      </Tile>
      <Tile label="Processing" to={{ status: 'processing' }} note="now">
        {formatCount(totals.processing)}
      </Tile>
      <Tile
        label="Dead letter"
        to={{ status: 'failed' }}
        note={`${formatCount(totals.failed_24h)} failed in 24 h`}
        isBad={totals.dead_letter > 0}
      >
        {formatCount(totals.dead_letter)}
      </Tile>
      <Tile label="Throughput" note={`${formatCount(totals.completed_24h)} done in 24 h`}>
        {formatCount(totals.per_minute)}
        <small> /min</small>
      </Tile>
      <Tile label="Success rate" note="24 h, of finished jobs" isBad={(totals.success_rate ?? 100) < 95}>
        {formatPercent(totals.success_rate)}
      </Tile>
      <Tile label="Duration, median" note={`p95 ${formatDuration(totals.p95_duration_ms)}`}>
        {formatDuration(totals.p50_duration_ms)}
      </Tile>
      <Tile label="Wait, median" note={`p95 ${formatDuration(totals.p95_wait_ms)}`}>
        {formatDuration(totals.p50_wait_ms)}
      </Tile>
      <Tile label="Oldest queued" note="since it was due">
        {oldest === null ? 'none' : formatDuration(Math.max(oldest, 0) * 1000)}
      </Tile>
    </div>
  );
}

function Tile({
  label,
  note,
  to,
  isBad = false,
  children,
}: {
  label: string;
  note: string;
  /** Filter of the job list behind the figure. */
  to?: Record<string, string>;
  isBad?: boolean;
  children: ReactNode;
}) {
  const content = (
    <>
      <span className={classes.label}>{label}</span>
      <span className={classes.value} data-bad={isBad}>
        {children}
      </span>
      <span className={classes.note}>{note}</span>
    </>
  );
  return to ? (
    <a className={classes.tile} href={href(['jobs'], to)}>
      {content}
    </a>
  ) : (
    <div className={classes.tile}>{content}</div>
  );
}
