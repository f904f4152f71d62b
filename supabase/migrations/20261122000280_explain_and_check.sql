-- Two questions: why is this job (not) running, and is the queue sound?

create function public.explain_background_job(job_id uuid) returns text
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  select * into v_job from public.background_jobs j where j.id = explain_background_job.job_id;
  return case v_job.status
    when 'queued' then job_queue.explain_waiting(v_job)
    when 'processing' then format(
      'running since %s on %s%s', v_job.started_at,
      coalesce((select l.worker from public.background_job_leases l where l.token = v_job.lease_token), 'an unknown worker'),
      case when v_job.lease_until < clock_timestamp()
             then format('; its lease expired at %s: the next sweep rescues it', v_job.lease_until)
           when v_job.cancel_requested_at is not null
             then format('; cancel requested at %s: it stops at its next heartbeat', v_job.cancel_requested_at)
           else '' end)
    when 'completed' then format('done: completed at %s after %s ms of work', v_job.completed_at, v_job.active_ms)
    when 'cancelled' then format('cancelled%s', coalesce(': ' || v_job.cancel_reason, ''))
    when 'failed' then format(
      'dead because %s: %s', case v_job.failure_reason
        when 'retries_spent' then format('its %s retries are spent', v_job.max_retries)
        when 'non_retryable' then 'another attempt would fail in the same way'
        when 'crashed' then format('its process died and its %s retries are spent', v_job.max_retries)
        when 'expired' then format('it expired at %s', v_job.expires_at)
        else 'somebody set it to failed' end,
      coalesce(v_job.error, 'no error was recorded'))
    else 'no such job'
  end;
end
$$;
comment on function public.explain_background_job(uuid) is
  'One sentence on why the job is (not) running: waiting and for what, running since when and where, done, cancelled, dead because …, or "no such job".';

create function job_queue.explain_waiting(p_job public.background_jobs) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_last public.background_job_attempts;
  v_busy uuid[];
begin
  if exists (select from public.job_types t where t.type = p_job.type and t.paused) then
    return format('paused: jobs of type %s wait for resume_job_type', p_job.type);
  elsif p_job.expires_at <= clock_timestamp() then
    return format('expired at %s: the next sweep fails it', p_job.expires_at);
  elsif p_job.run_at > clock_timestamp() then
    select * into v_last from public.background_job_attempts a where a.job_id = p_job.id order by a.number desc limit 1;
    return format('%s until %s%s', case v_last.outcome when 'snoozed' then 'snoozed' when 'failed' then 'backoff'
        when 'timed_out' then 'backoff' when 'rescued' then 'backoff' else 'scheduled: waits' end,
      p_job.run_at, coalesce(': ' || (v_last.error ->> 'message'), ''));
  end if;
  v_busy := array(select s.job_id from public.background_job_slots s where s.concurrency_key = p_job.concurrency_key);
  if cardinality(v_busy) >= p_job.concurrency_limit then
    return format('concurrency key %s is busy: job %s is running', p_job.concurrency_key, array_to_string(v_busy, ', '));
  end if;
  return format('waiting on lane %s, %s runnable jobs before it%s', p_job.lane,
    (select count(*) from public.background_job_ready r
     where r.lane = p_job.lane and r.run_at <= clock_timestamp()
       and (r.sort_at, r.id) < (p_job.run_at - p_job.priority * interval '1 minute', p_job.id)),
    case when p_job.lane = 'inline' then ': Inngest retries it, or the sweep moves it to the edge lane'
         when exists (select from public.background_job_leases l where l.lane = p_job.lane) then ''
         else format('; nobody is working on the lane (newest job started: %s)', coalesce((
           select max(n.started_at)::text from (
             select j.started_at from public.background_jobs j where j.lane = p_job.lane
             order by j.id desc limit 1000) n), 'never')) end);
end
$$;
comment on function job_queue.explain_waiting(public.background_jobs) is 'Why a queued job is not running. Never refuses.';

create function public.check_background_jobs() returns table (job_id uuid, problem text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
  with lease_members as (
    select l.token, m.id from public.background_job_leases l, unnest(l.job_ids) as m(id)
  ), ready as (
    select r.id, count(*) as rows from public.background_job_ready r group by r.id
  )
  select j.id, 'queued without a ready row' from public.background_jobs j
  where j.status = 'queued' and not exists (select from ready r where r.id = j.id)
  union all
  select r.id, format('%s ready rows', r.rows) from ready r where r.rows > 1
  union all
  select r.id, 'ready row of a job that is ' || coalesce(j.status, 'gone')
  from public.background_job_ready r left join public.background_jobs j on j.id = r.id
  where j.status is distinct from 'queued'
  union all
  select r.id, 'ready row does not match the job'
  from public.background_job_ready r join public.background_jobs j on j.id = r.id
  where j.status = 'queued' and (r.lane, r.type, r.run_at, r.expires_at, r.sort_at, r.concurrency_key, r.concurrency_limit)
    is distinct from (j.lane, j.type, j.run_at, j.expires_at, j.run_at - j.priority * interval '1 minute',
                      j.concurrency_key, j.concurrency_limit)
  union all
  select j.id, 'processing without a lease' from public.background_jobs j
  where j.status = 'processing'
    and not exists (select from lease_members m where m.token = j.lease_token and m.id = j.id)
  union all
  select null::uuid, format('lease %s counts %s jobs but %s are running', l.token, l.remaining, n.running)
  from public.background_job_leases l cross join lateral (
    select count(*) as running from public.background_jobs j
    where j.id = any (l.job_ids) and j.lease_token = l.token and j.status = 'processing') n
  where n.running > l.remaining
  union all
  select j.id, 'runs under a concurrency key without a slot' from public.background_jobs j
  where j.status = 'processing' and j.concurrency_key is not null and j.lane <> 'inline'
    and not exists (select from public.background_job_slots s where s.job_id = j.id and s.concurrency_key = j.concurrency_key)
  union all
  select s.job_id, 'slot of a job that is ' || coalesce(j.status, 'gone')
  from public.background_job_slots s left join public.background_jobs j on j.id = s.job_id
  where j.status is distinct from 'processing'
  union all
  select j.id, 'ended without the time of its end' from public.background_jobs j
  where (j.status = 'completed' and j.completed_at is null) or (j.status = 'failed' and j.failed_at is null);
end
$$;
comment on function public.check_background_jobs() is
  'Every breach of the queue''s invariants in the data; no row when it is sound. Reads the whole queue: for tests and doubts, not for dashboards.';
