-- run_at has to be a time: infinity is how the line marks parked jobs, and no time is left for it to expire after.

create or replace function job_queue.row_problem(p_job public.background_jobs) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case
    when p_job.type = '' then 'type: expected a job type, got nothing'
    when p_job.status not in ('queued', 'processing', 'completed', 'failed', 'cancelled') then
      format('status: expected queued, processing, completed, failed or cancelled, got %s', p_job.status)
    when p_job.lane not in ('inline', 'edge', 'worker') then format('lane: expected inline, edge or worker, got %s', p_job.lane)
    when p_job.failure_reason not in (
        'retries_spent', 'non_retryable', 'crashed', 'expired', 'operator', 'dependency_failed') then
      format('failure_reason: expected retries_spent, non_retryable, crashed, expired, operator or dependency_failed, got %s',
        p_job.failure_reason)
    when p_job.retry_count < 0 then format('retry_count: expected a number from 0, got %s', p_job.retry_count)
    when p_job.max_retries < 0 then format('max_retries: expected a number from 0, got %s', p_job.max_retries)
    when p_job.priority not between -10000 and 10000 then
      format('priority: expected a number from -10000 to 10000, got %s', p_job.priority)
    when not isfinite(p_job.run_at) then format('run_at: expected a time, got %s', p_job.run_at)
    when p_job.timeout_seconds < 1 then format('timeout_seconds: expected a number from 1, got %s', p_job.timeout_seconds)
    when p_job.progress not between 0 and 100 then format('progress: expected a number from 0 to 100, got %s', p_job.progress)
    when p_job.concurrency_key is not null and coalesce(p_job.concurrency_limit, 0) < 1 then
      format('concurrency_limit: expected a number from 1 beside a concurrency_key, got %s',
        coalesce(p_job.concurrency_limit::text, 'nothing'))
  end;
end
$$;
