-- The wide, visible truth: one row per job, kept after the job ended. Inserted once, then only HOT updates: no index
-- names a column that changes after the insert, and fillfactor 33 leaves room for the new versions on the same page.

create table public.background_jobs (
  id uuid not null default public.uuid_v7(),
  type text not null,
  payload jsonb not null default '{}',
  status text not null default 'queued',
  lane text not null,
  result jsonb,
  error text,
  failure_reason text,
  retry_count integer not null default 0,
  max_retries integer not null,
  priority integer not null,
  timeout_seconds integer not null,
  created_at timestamptz not null default now(),
  run_at timestamptz not null default now(),
  expires_at timestamptz not null,
  started_at timestamptz,
  completed_at timestamptz,
  failed_at timestamptz,
  duration_ms bigint,
  active_ms bigint not null default 0,
  progress integer,
  progress_message text,
  cancel_requested_at timestamptz,
  cancel_reason text,
  lease_token uuid,
  lease_until timestamptz,
  step_saved boolean not null default false,
  revision integer not null default 0,
  idempotency_key text,
  concurrency_key text,
  concurrency_limit integer,
  inngest_event_id text,
  inngest_run_id text,
  repository_id uuid,
  callback_url text,
  constraint background_jobs_pkey primary key (id),
  constraint background_jobs_type_named check (type <> ''),
  constraint background_jobs_status_known check (status in ('queued', 'processing', 'completed', 'failed', 'cancelled')),
  constraint background_jobs_lane_known check (lane in ('inline', 'edge', 'worker')),
  constraint background_jobs_failure_reason_known check (
    failure_reason in ('retries_spent', 'non_retryable', 'crashed', 'expired', 'operator')),
  constraint background_jobs_retry_count_natural check (retry_count >= 0),
  constraint background_jobs_max_retries_natural check (max_retries >= 0),
  constraint background_jobs_priority_bounded check (priority between -10000 and 10000),
  constraint background_jobs_timeout_positive check (timeout_seconds > 0),
  constraint background_jobs_progress_percent check (progress between 0 and 100),
  constraint background_jobs_concurrency_limited check (concurrency_key is null or concurrency_limit > 0),
  constraint background_jobs_lease_while_processing check (
    (status = 'processing') = (lease_token is not null and lease_until is not null))
) with (
  fillfactor = 33,
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.05
);

-- Dedupe. Partial: jobs without a key pay nothing.
create unique index background_jobs_idempotency_key on public.background_jobs (idempotency_key)
  where idempotency_key is not null;
-- Statistics per type and time range; the newest jobs of a type.
create index background_jobs_type_created_at on public.background_jobs (type, created_at);

comment on table public.background_jobs is
  'Every background job, one row each, whatever lane it runs on. status is always literally true. Rows may be inserted, updated and deleted by hand: triggers keep the narrow tables in step.';
comment on column public.background_jobs.lane is 'Where the job runs: inline (in the Inngest request), edge (process-job), worker (always-on process).';
comment on column public.background_jobs.failure_reason is 'Why a failed job is dead: retries_spent, non_retryable, crashed, expired, or operator (set by hand).';
comment on column public.background_jobs.retry_count is 'Retries spent. The final failure does not raise it.';
comment on column public.background_jobs.run_at is 'Earliest start of the next attempt.';
comment on column public.background_jobs.priority is 'Minutes by which the job overtakes others: jobs run in the order run_at - priority minutes.';
comment on column public.background_jobs.expires_at is 'A job still waiting at this time fails as expired. Default: 24 hours after its first run_at.';
comment on column public.background_jobs.started_at is 'Start of the last slice; duration_ms belongs to the same slice.';
comment on column public.background_jobs.duration_ms is 'Milliseconds of the last slice that ended.';
comment on column public.background_jobs.active_ms is 'Milliseconds over all slices and attempts.';
comment on column public.background_jobs.lease_token is 'Fence of the running attempt: only its holder may end or change the job.';
comment on column public.background_jobs.lease_until is 'The running attempt counts as crashed when its lease is not renewed by then.';
comment on column public.background_jobs.step_saved is 'The running attempt saved a step since it was claimed, so a hand-off spends no retry.';
comment on column public.background_jobs.revision is 'Raised by every change that the queue''s own functions make; they start it at a hash of the id. Any other change or insert is a hand edit, which triggers follow.';
comment on column public.background_jobs.repository_id is 'Repository that the job is about. No foreign key: deleting a repository keeps its jobs.';
