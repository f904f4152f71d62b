-- One job with all that is known of it.

create function job_queue.unless_large(p_key text, p_value jsonb, p_most integer) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  v_bytes integer := octet_length(p_value::text);
begin
  if v_bytes <= p_most or v_bytes is null then return jsonb_build_object(p_key, p_value); end if;
  return jsonb_build_object(p_key, null, p_key || '_omitted', true, p_key || '_bytes', v_bytes);
end
$$;
comment on function job_queue.unless_large(text, jsonb, integer) is
  'The value under its key; when it is larger than so many bytes as text, its size instead.';

create function job_queue.job_attempts(p_job_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'number', a.number, 'lane', a.lane, 'worker', a.worker, 'started_at', a.started_at, 'ended_at', a.ended_at,
      'outcome', a.outcome, 'error', a.error) order by a.number), '[]')
    from (select * from public.background_job_attempts x where x.job_id = p_job_id order by x.number desc limit 200) a);
end
$$;
comment on function job_queue.job_attempts(uuid) is 'The newest 200 attempts of the job that did not complete it, in their order.';

create function job_queue.job_steps(p_job_id uuid) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(
      jsonb_build_object('name', s.name, 'saved_at', s.saved_at, 'output_bytes', s.bytes, 'output_omitted', s.bytes > 16384,
        'output', case when s.bytes <= 16384 then s.output end) order by s.saved_at, s.name), '[]')
    from (
      select x.name, x.saved_at, x.output, coalesce(octet_length(x.output::text), 0) as bytes
      from public.background_job_steps x where x.job_id = p_job_id order by x.saved_at desc limit 500) s);
end
$$;
comment on function job_queue.job_steps(uuid) is
  'The newest 500 saved steps of the job in their order; outputs of over 16 KB are left out.';

create function job_queue.job_relatives(p_job_id uuid, p_parents boolean) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(jsonb_build_object(
      'id', d.id, 'type', j.type, 'status', j.status, 'settled', d.settled, 'on_failure', d.on_failure) order by d.id), '[]')
    from (
      select x.parent_id as id, x.settled, x.on_failure from public.background_job_dependencies x
      where p_parents and x.job_id = p_job_id
      union all
      select x.job_id, x.settled, x.on_failure from public.background_job_dependencies x
      where not p_parents and x.parent_id = p_job_id
      order by 1 limit 200) d
    left join public.background_jobs j on j.id = d.id);
end
$$;
comment on function job_queue.job_relatives(uuid, boolean) is
  'The jobs that the job depends on (parents), or those that depend on it; at most 200. Type and status of a deleted one are null.';

create function job_queue.github_place(p_job public.background_jobs) returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_repository text := job_queue.repository_name(p_job);
  v_page text;
begin
  -- What becomes part of a link is what GitHub allows in a name, nothing else.
  if v_repository is null or v_repository !~ '^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$' then return null; end if;
  v_page := case
    when p_job.payload ->> 'prNumber' ~ '^\d{1,9}$' then '/pull/' || (p_job.payload ->> 'prNumber')
    when p_job.payload ->> 'pr_number' ~ '^\d{1,9}$' then '/pull/' || (p_job.payload ->> 'pr_number')
    when p_job.payload ->> 'issueNumber' ~ '^\d{1,9}$' then '/issues/' || (p_job.payload ->> 'issueNumber')
    else '' end;
  return jsonb_build_object('repository', v_repository, 'url', 'https://github.com/' || v_repository || v_page);
end
$$;
comment on function job_queue.github_place(public.background_jobs) is
  'The repository that the job is about, and the page of it, of its pull request or issue; null when it is about none.';

create function public.operator_job(job_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_job public.background_jobs;
begin
  perform job_queue.require_operator();
  select * into v_job from public.background_jobs j where j.id = operator_job.job_id;
  if v_job.id is null then return null; end if;
  return jsonb_build_object(
    'job', job_queue.job_line(v_job) || jsonb_build_object(
        'title', (select t.title from public.job_types t where t.type = v_job.type), 'error', v_job.error,
        'timeout_seconds', v_job.timeout_seconds, 'expires_at', v_job.expires_at, 'completed_at', v_job.completed_at,
        'failed_at', v_job.failed_at, 'idempotency_key', v_job.idempotency_key, 'concurrency_key', v_job.concurrency_key,
        'concurrency_limit', v_job.concurrency_limit, 'inngest_event_id', v_job.inngest_event_id,
        'inngest_run_id', v_job.inngest_run_id, 'callback_url', regexp_replace(v_job.callback_url, '[?#].*$', ''),
        'cancel_reason', v_job.cancel_reason)
      || job_queue.unless_large('payload', v_job.payload, 262144) || job_queue.unless_large('result', v_job.result, 262144),
    'explain', public.explain_background_job(v_job.id),
    'worker', (select l.worker from public.background_job_leases l where l.token = v_job.lease_token),
    'lease_until', v_job.lease_until,
    'attempts', job_queue.job_attempts(v_job.id),
    'steps', job_queue.job_steps(v_job.id),
    'parents', job_queue.job_relatives(v_job.id, true),
    'children', job_queue.job_relatives(v_job.id, false),
    'github', job_queue.github_place(v_job));
end
$$;
comment on function public.operator_job(uuid) is
  'All that is known of a job: {job, explain, worker, lease_until, attempts, steps, parents, children, github}; null when there is no such job. Refuses who is no operator (PT403).';

revoke all on function public.operator_job(uuid) from public, anon, authenticated, service_role;
grant execute on function public.operator_job(uuid) to authenticated;
revoke all on function job_queue.unless_large(text, jsonb, integer), job_queue.job_attempts(uuid), job_queue.job_steps(uuid),
  job_queue.job_relatives(uuid, boolean), job_queue.github_place(public.background_jobs)
  from public, anon, authenticated, service_role;
