import type pg from 'pg';

/** How often each promise was broken; all zero when none was. */
export interface Violations {
  /** Acknowledged jobs, and delivered events, that have no row, or one that did not complete. */
  lost: number;
  /** Steps that had their effect again after they had been saved, or that an ended job never had. */
  twice: number;
  /** Runs of one job that were at work side by side, and jobs of a key beyond its limit. */
  heldTwice: number;
  /** Jobs that had not ended when nothing was left to hinder them. */
  stuck: number;
  /** What check_background_jobs() finds. */
  unsound: number;
}

/** What was acknowledged to those who asked for it. */
export interface Acknowledged {
  jobs: readonly string[];
  events: readonly string[];
}

const lostJobs = `
  select count(*) from unnest($1::uuid[]) as a(id) left join public.background_jobs j using (id)
  where j.status is null or j.status in ('failed', 'cancelled')`;

const lostEvents = `
  select count(*) from (
    select a.id, count(j.id) as jobs, bool_and(j.status in ('failed', 'cancelled')) as died
    from unnest($1::text[]) as a(id) left join public.background_jobs j on j.inngest_event_id = a.id group by a.id) e
  where e.jobs <> 1 or e.died`;

/** A child that a parent brought is not acknowledged to anybody: the parent has two when it is done, else none. */
const lostChildren = `
  select abs(2 * count(*) filter (where type = 'chaos/parent' and status = 'completed') - count(*) filter (where type = 'chaos/child'))
  from public.background_jobs`;

const repeatedEffects = `
  select count(*) from chaos.signs s join public.background_job_steps d on d.job_id = s.job_id and d.name = s.step
  where s.at > d.saved_at`;

const missingEffects = `
  select count(*) from public.background_job_steps d left join chaos.effects e on e.job_id = d.job_id and e.step = d.name
  where e.job_id is null`;

/** A run whose sign comes after the first sign of a later run of its job. */
const mixedRuns = `
  select count(*) from (
    select s.n, min(s.n) over (partition by s.job_id, s.run) as began,
           max(b.began) over (partition by s.job_id order by s.n) as last_began
    from chaos.signs s
    join (select job_id, run, min(n) as began from chaos.signs group by job_id, run) b using (job_id, run)) r
  where r.began < r.last_began`;

const crowdedKeys = `
  select count(*) from (
    select c.allowed, sum(case when c.is_now = 'processing' then 1 else -1 end) over (partition by c.key order by c.n) as running
    from chaos.changes c where c.key is not null and 'processing' in (c.was, c.is_now)) k
  where k.running > k.allowed`;

const stuckJobs = `select count(*) from public.background_jobs where status in ('queued', 'processing')`;
const unsound = `select count(*) from public.check_background_jobs()`;

/** Compares the ledger with the rows, when nothing moves any more. */
export async function findViolations(pool: pg.Pool, { jobs, events }: Acknowledged): Promise<Violations> {
  async function count(sql: string, values: unknown[] = []): Promise<number> {
    const { rows } = await pool.query<{ count: number }>(`select (${sql})::integer as count`, values);
    return rows[0]?.count ?? NaN;
  }
  return {
    lost: (await count(lostJobs, [jobs])) + (await count(lostEvents, [events])) + (await count(lostChildren)),
    twice: (await count(repeatedEffects)) + (await count(missingEffects)),
    heldTwice: (await count(mixedRuns)) + (await count(crowdedKeys)),
    stuck: await count(stuckJobs),
    unsound: await count(unsound),
  };
}
