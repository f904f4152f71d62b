-- The narrow tables beside background_jobs. Only the queue's functions and triggers write them.

create table public.background_job_ready (
  lane text not null,
  sort_at timestamptz not null,
  id uuid not null,
  run_at timestamptz not null,
  expires_at timestamptz not null,
  type text not null,
  concurrency_key text,
  concurrency_limit integer
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index background_job_ready_order on public.background_job_ready (lane, sort_at, id);
-- Jobs of negative priority: the only ones that may run although their sort_at lies ahead.
create index background_job_ready_low_priority on public.background_job_ready (lane, sort_at, id)
  where sort_at > run_at;
comment on table public.background_job_ready is
  'One row per queued job. A claim deletes from it with SKIP LOCKED. sort_at = run_at - priority minutes.';

create table public.background_job_leases (
  token uuid not null,
  worker text not null,
  lane text not null,
  claimed_at timestamptz not null,
  lease_until timestamptz not null,
  remaining integer not null,
  job_ids uuid[] not null,
  constraint background_job_leases_pkey primary key (token)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);
comment on table public.background_job_leases is
  'One row per claim: who holds which jobs. job_ids and lease_until (the first one; renewals are on the job rows) never change; remaining counts down as jobs end, and the row goes with its last job. Jobs ended by hand are not counted off, so that a bulk edit locks no lease: the sweep removes what they leave.';

create table public.background_job_slots (
  job_id uuid not null,
  concurrency_key text not null,
  constraint background_job_slots_pkey primary key (job_id)
);
create index background_job_slots_key on public.background_job_slots (concurrency_key);
comment on table public.background_job_slots is 'One row per running job that has a concurrency key and was claimed from a queued lane.';

create table public.background_job_attempts (
  job_id uuid not null,
  number integer not null,
  lane text not null,
  worker text,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  outcome text not null,
  error jsonb,
  constraint background_job_attempts_pkey primary key (job_id, number),
  constraint background_job_attempts_job foreign key (job_id) references public.background_jobs (id) on delete cascade,
  constraint background_job_attempts_outcome_known check (
    outcome in ('failed', 'timed_out', 'snoozed', 'handed_off', 'rescued', 'cancelled', 'edited'))
);
comment on table public.background_job_attempts is
  'Every attempt that did not complete its job, with its error; numbered from 1 within the job. edited: ended by a hand edit of the job''s row.';

create table public.background_job_steps (
  job_id uuid not null,
  name text not null,
  output jsonb,
  saved_at timestamptz not null default clock_timestamp(),
  constraint background_job_steps_pkey primary key (job_id, name),
  constraint background_job_steps_job foreign key (job_id) references public.background_jobs (id) on delete cascade
);
comment on table public.background_job_steps is 'Results of durable steps: a later slice of the job returns them instead of running the step again.';

create table public.job_types (
  type text not null,
  title text not null,
  lane text not null,
  lane_override text,
  timeout_seconds integer not null,
  max_retries integer not null,
  priority integer not null,
  concurrency_limit integer,
  paused boolean not null default false,
  p95_duration_ms bigint,
  p95_measured_at timestamptz,
  synced_at timestamptz not null default now(),
  constraint job_types_pkey primary key (type),
  constraint job_types_lane_known check (lane in ('inline', 'edge', 'worker')),
  constraint job_types_lane_override_known check (lane_override in ('inline', 'edge', 'worker')),
  constraint job_types_timeout_positive check (timeout_seconds > 0),
  constraint job_types_max_retries_natural check (max_retries >= 0),
  constraint job_types_priority_bounded check (priority between -10000 and 10000),
  constraint job_types_concurrency_positive check (concurrency_limit > 0)
);
comment on table public.job_types is
  'Mirror of the job definitions (sync_job_types), plus what operators set: lane_override, paused.';
comment on column public.job_types.p95_duration_ms is '95th percentile of a slice over the newest 200 completed jobs; measured by the sweep, at most once a minute.';
