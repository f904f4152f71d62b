import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { ask } from './ask.ts';

/** The jobs that ran at a moment of the database's clock, and what was committed by then. */
export interface Running {
  at: Date;
  snapshot: string;
  ids: string[];
}

const open = `select statement_timestamp() as at, pg_current_snapshot()::text as snapshot, coalesce(array_agg(id), '{}') as ids from public.background_jobs
  where status = 'processing' and ($1::text is null or lane = $1)`;

/** What a process that was struck has sent before may arrive for so long, in milliseconds. */
const inFlightMs = 100;

/**
 * The first sign of each job after a look at what runs: it ended, or, not just in flight at the look, it began again, had an
 * effect, or was claimed. By snapshot, for what was written before the look may be committed after it.
 */
const signs = `
  select j.id, (
    select min(s.at) from (
      select at, xid from chaos.signs where job_id = j.id and at > $3::timestamptz + interval '${inFlightMs} ms'
      union all select at, xid from chaos.changes
      where job_id = j.id and is_now <> 'queued'
        and (is_now <> 'processing' or at > $3::timestamptz + interval '${inFlightMs} ms')) s
    where not pg_visible_in_snapshot(s.xid, $1::pg_snapshot)) as at
  from unnest($2::uuid[]) as j(id)`;

/** @param lane - default: any */
export async function whatRuns(pool: () => pg.Pool, lane?: string): Promise<Running> {
  const [running] = await ask<Running>(pool, open, [lane]);
  if (!running) throw new Error('expected one row of what runs');
  return running;
}

/** What ran at a fault, with what a victim claimed between the look before and a blow that fell at once. */
export function atTheBlow(before: Running, after: Running): Running {
  if (after.at.getTime() - before.at.getTime() > inFlightMs) return before;
  return { ...before, ids: [...new Set([...before.ids, ...after.ids])] };
}

/**
 * Waits until every job that ran at the fault has shown that it goes on. One that did so before `since` was not held up.
 * @param since - from when on it counts: the fault, or its end where the fault lasted
 * @returns seconds until the last one did; Infinity when one did not within `limitSeconds`
 */
export async function recoverySeconds(
  pool: () => pg.Pool,
  { at, snapshot, ids }: Running,
  since: Date,
  limitSeconds: number,
): Promise<number> {
  const giveUpAt = Date.now() + limitSeconds * 1000;
  for (;;) {
    const rows = await ask<{ at: Date | null }>(pool, signs, [snapshot, ids, at]);
    const times = rows.map((sign) => sign.at?.getTime() ?? Infinity);
    const seconds = Math.max(0, ...times.map((time) => (time - since.getTime()) / 1000));
    if (seconds < Infinity || Date.now() > giveUpAt) return seconds;
    await sleep(50);
  }
}
