-- Who may what. Hosted Supabase grants anon and authenticated everything on new public objects: revoke first.

alter table public.background_jobs enable row level security;
alter table public.background_job_ready enable row level security;
alter table public.background_job_leases enable row level security;
alter table public.background_job_slots enable row level security;
alter table public.background_job_attempts enable row level security;
alter table public.background_job_steps enable row level security;
alter table public.job_types enable row level security;

revoke all on public.background_jobs, public.background_job_ready, public.background_job_leases,
  public.background_job_slots, public.background_job_attempts, public.background_job_steps, public.job_types,
  public.job_statistics, public.job_statistics_hourly, public.dead_letter_jobs, public.stuck_jobs, public.queue_depth
  from public, anon, authenticated, service_role;

grant select, insert, update, delete on public.background_jobs to service_role;
grant select on public.background_job_ready, public.background_job_leases, public.background_job_slots,
  public.background_job_attempts, public.background_job_steps, public.job_types,
  public.job_statistics, public.job_statistics_hourly, public.dead_letter_jobs, public.stuck_jobs, public.queue_depth
  to service_role;

-- Everything but payload, result, error and callback_url, and the lease token, which is a capability.
grant select (
  id, type, status, lane, failure_reason, retry_count, max_retries, priority, timeout_seconds, created_at, run_at,
  expires_at, started_at, completed_at, failed_at, duration_ms, active_ms, progress, progress_message,
  cancel_requested_at, cancel_reason, lease_until, step_saved, revision, idempotency_key, concurrency_key,
  concurrency_limit, inngest_event_id, inngest_run_id, repository_id)
  on public.background_jobs to authenticated;
grant select on public.job_statistics, public.job_statistics_hourly to authenticated;
create policy background_jobs_readable on public.background_jobs for select to authenticated using (true);

revoke all on function
  public.uuid_v7(), public.sync_job_types(jsonb), public.set_job_lane(text, text), public.pause_job_type(text),
  public.resume_job_type(text), public.list_job_lanes(), public.enqueue_background_jobs(jsonb),
  public.begin_background_job(jsonb, text, integer),
  public.claim_background_jobs(text, text, integer, integer, integer, jsonb),
  public.claim_background_job(uuid, text, integer), public.heartbeat_background_jobs(jsonb, integer),
  public.complete_background_jobs(jsonb), public.fail_background_job(uuid, uuid, jsonb, boolean, integer),
  public.snooze_background_job(uuid, uuid, timestamptz, text), public.hand_off_background_job(uuid, uuid),
  public.save_background_job_step(uuid, uuid, text, jsonb),
  public.report_background_job_progress(uuid, uuid, integer, text), public.retry_failed_job(uuid, boolean),
  public.cancel_background_job(uuid, text), public.get_background_job(uuid), public.sweep_background_jobs(),
  public.explain_background_job(uuid), public.check_background_jobs(), public.get_job_statistics_summary()
  from public, anon, authenticated, service_role;
revoke all on all functions in schema job_queue from public, anon, authenticated, service_role;

grant execute on function
  public.uuid_v7(), public.sync_job_types(jsonb), public.set_job_lane(text, text), public.pause_job_type(text),
  public.resume_job_type(text), public.list_job_lanes(), public.enqueue_background_jobs(jsonb),
  public.begin_background_job(jsonb, text, integer),
  public.claim_background_jobs(text, text, integer, integer, integer, jsonb),
  public.claim_background_job(uuid, text, integer), public.heartbeat_background_jobs(jsonb, integer),
  public.complete_background_jobs(jsonb), public.fail_background_job(uuid, uuid, jsonb, boolean, integer),
  public.snooze_background_job(uuid, uuid, timestamptz, text), public.hand_off_background_job(uuid, uuid),
  public.save_background_job_step(uuid, uuid, text, jsonb),
  public.report_background_job_progress(uuid, uuid, integer, text), public.retry_failed_job(uuid, boolean),
  public.cancel_background_job(uuid, text), public.get_background_job(uuid), public.sweep_background_jobs(),
  public.explain_background_job(uuid), public.check_background_jobs(), public.get_job_statistics_summary()
  to service_role;
