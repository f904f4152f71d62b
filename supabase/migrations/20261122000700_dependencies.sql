-- Dependencies: a job waits until the jobs named in depends_on have ended. While it waits it is queued, and has no ready
-- row: claims never scan past it.

create table public.background_job_dependencies (
  job_id uuid not null,
  parent_id uuid not null,
  on_failure text not null,
  settled boolean not null default false,
  constraint background_job_dependencies_pkey primary key (parent_id, job_id),
  constraint background_job_dependencies_job foreign key (job_id) references public.background_jobs (id) on delete cascade,
  constraint background_job_dependencies_on_failure_known check (on_failure in ('cancel', 'run', 'fail'))
);
create index background_job_dependencies_job_id on public.background_job_dependencies (job_id);
create index background_job_dependencies_waiting on public.background_job_dependencies (parent_id) where not settled;
comment on table public.background_job_dependencies is
  'job_id waits for parent_id until it is settled. A parent that fails, is cancelled or deleted ends the job (cancel, fail), or counts as done (run). Only the queue''s functions write it.';

alter table public.background_job_dependencies enable row level security;
revoke all on public.background_job_dependencies from public, anon, authenticated, service_role;
grant select on public.background_job_dependencies to service_role;

alter table public.background_jobs
  drop constraint background_jobs_failure_reason_known,
  add constraint background_jobs_failure_reason_known check (
    failure_reason in ('retries_spent', 'non_retryable', 'crashed', 'expired', 'operator', 'dependency_failed'));
comment on column public.background_jobs.failure_reason is
  'Why a failed job is dead: retries_spent, non_retryable, crashed, expired, dependency_failed, or operator (set by hand).';

create function job_queue.waits_for_parents(p_id uuid) returns boolean
language plpgsql stable
set search_path = ''
as $$
begin
  return exists (select from public.background_job_dependencies d where d.job_id = p_id and not d.settled);
end
$$;
comment on function job_queue.waits_for_parents(uuid) is 'Whether a job that the job depends on has not ended yet.';

create function job_queue.require_valid_dependencies(p_jobs jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  v_problem record;
begin
  select e.n - 1 as index, p.n - 1 as place, p.parent into v_problem
  from jsonb_array_elements(p_jobs) with ordinality as e(job, n)
  cross join lateral jsonb_array_elements(
    case jsonb_typeof(e.job -> 'depends_on') when 'array' then e.job -> 'depends_on' else '[]' end) with ordinality as p(parent, n)
  where not case jsonb_typeof(p.parent)
    -- Only earlier ones: so there are no cycles.
    when 'number' then p.parent::numeric = trunc(p.parent::numeric) and p.parent::numeric >= 0 and p.parent::numeric < e.n - 1
    when 'string' then p.parent #>> '{}' ~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
    else false end
  order by e.n, p.n limit 1;
  if found then
    raise exception using errcode = 'PT400', message = format(
      'jobs[%s].depends_on[%s]: expected a job id or the position of an earlier job of this call, got %s',
      v_problem.index, v_problem.place, left(v_problem.parent::text, 100));
  end if;
end
$$;
comment on function job_queue.require_valid_dependencies(jsonb) is
  'Returns nothing; refuses (PT400) a parent that is neither a uuid nor the position of an earlier job, naming its place.';

create function job_queue.link_parents(p_jobs jsonb, p_ids uuid[], p_created boolean[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_parents uuid[];
  v_children uuid[];
  v_missing record;
begin
  -- A parent that ends meanwhile waits for our commit, and then finds its dependents. Ascending ids, like everybody.
  select array_agg(l.id) into v_parents
  from (
    select j.id from public.background_jobs j
    where j.id in (
      select case jsonb_typeof(p.parent) when 'number' then p_ids[(p.parent #>> '{}')::numeric::integer + 1]
                                         else (p.parent #>> '{}')::uuid end
      from jsonb_array_elements(p_jobs) as e(job)
      cross join lateral jsonb_array_elements(
        case jsonb_typeof(e.job -> 'depends_on') when 'array' then e.job -> 'depends_on' else '[]' end) as p(parent))
    order by j.id for share) l;
  for v_missing in
    select e.n - 1 as index, p.parent from jsonb_array_elements(p_jobs) with ordinality as e(job, n)
    cross join lateral jsonb_array_elements_text(
      case jsonb_typeof(e.job -> 'depends_on') when 'array' then e.job -> 'depends_on' else '[]' end) as p(parent)
    where length(p.parent) = 36 and not coalesce(p.parent::uuid = any (v_parents), false)
    order by 1 limit 1
  loop
    raise exception using errcode = 'PT400',
      message = format('jobs[%s].depends_on: there is no job %s', v_missing.index, v_missing.parent);
  end loop;
  with linked as (
    insert into public.background_job_dependencies (job_id, parent_id, on_failure)
    select distinct p_ids[e.n], case jsonb_typeof(p.parent) when 'number' then p_ids[(p.parent #>> '{}')::numeric::integer + 1]
                                                            else (p.parent #>> '{}')::uuid end,
           coalesce(e.job ->> 'on_parent_failure', 'cancel')
    from jsonb_array_elements(p_jobs) with ordinality as e(job, n)
    cross join lateral jsonb_array_elements(
      case jsonb_typeof(e.job -> 'depends_on') when 'array' then e.job -> 'depends_on' else '[]' end) as p(parent)
    where p_created[e.n]
    returning job_id
  )
  select array_agg(distinct l.job_id) into v_children from linked l;
  perform job_queue.remove_ready(j.lane, j.run_at - j.priority * interval '1 minute', j.id)
  from public.background_jobs j where j.id = any (v_children);
  -- Parents that have ended already.
  perform job_queue.settle_dependents(array(
    select j.id from public.background_jobs j where j.id = any (v_parents) and j.status not in ('queued', 'processing')));
end
$$;
comment on function job_queue.link_parents(jsonb, uuid[], boolean[]) is
  'Makes the new ones of the jobs wait for their parents. Refuses (PT400) a parent that does not exist.';

create function job_queue.settle_dependents(p_parent_ids uuid[]) returns void
language plpgsql
set search_path = '' set lock_timeout = '500ms'
as $$
declare
  v_child record;
begin
  for v_child in
    select distinct d.job_id from public.background_job_dependencies d
    where d.parent_id = any (p_parent_ids) and not d.settled order by d.job_id
  loop
    begin
      perform job_queue.settle_dependent(v_child.job_id);
    exception when lock_not_available then
      -- Somebody's open transaction holds the dependent's row: the sweep settles it.
      null;
    end;
  end loop;
end
$$;
comment on function job_queue.settle_dependents(uuid[]) is
  'Brings the jobs that wait for these parents in step with how the parents ended.';

create function job_queue.settle_dependent(p_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_job public.background_jobs;
  v_failed record;
begin
  -- Two parents that end at once take turns here: the second one sees what the first one settled.
  select * into v_job from public.background_jobs j where j.id = p_id for no key update;
  select d.on_failure, d.parent_id, j.type, j.status, j.error into v_failed
  from public.background_job_dependencies d left join public.background_jobs j on j.id = d.parent_id
  where d.job_id = p_id and not d.settled and d.on_failure <> 'run'
    and coalesce(j.status, 'gone') not in ('queued', 'processing', 'completed')
  order by d.parent_id limit 1;
  if found and v_job.status = 'queued' then
    perform job_queue.end_dependent(v_job, v_failed.on_failure, format(
      'job %s (%s), on which it depends, %s', v_failed.parent_id, coalesce(v_failed.type, 'unknown type'),
      case v_failed.status when 'failed' then 'failed: ' || coalesce(v_failed.error, 'no error was recorded')
                           when 'cancelled' then 'was cancelled' else 'was deleted' end));
    return;
  end if;
  update public.background_job_dependencies d set settled = true
  where d.job_id = p_id and not d.settled
    and not exists (select from public.background_jobs j where j.id = d.parent_id and j.status in ('queued', 'processing'));
  if v_job.status = 'queued' and not job_queue.waits_for_parents(p_id)
     and not exists (select from public.background_job_ready r where r.id = p_id) then
    perform job_queue.add_ready(v_job);
  end if;
end
$$;
comment on function job_queue.settle_dependent(uuid) is
  'Makes a waiting job claimable when the last of its parents has ended, or ends it as its policy says.';

create function job_queue.end_dependent(p_job public.background_jobs, p_policy text, p_reason text) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  -- Settled, so that an operator who retries the job gets it run.
  update public.background_job_dependencies d set settled = true where d.job_id = p_job.id and not d.settled;
  update public.background_jobs j
  set revision = j.revision + 1,
      status = case p_policy when 'fail' then 'failed' else 'cancelled' end,
      error = case p_policy when 'fail' then p_reason else j.error end,
      failed_at = case p_policy when 'fail' then v_now end,
      failure_reason = case p_policy when 'fail' then 'dependency_failed' end,
      cancel_requested_at = case p_policy when 'cancel' then v_now end,
      cancel_reason = case p_policy when 'cancel' then left(p_reason, 1000) end
  where j.id = p_job.id;
  perform job_queue.after_end(array[p_job.id]);
end
$$;
comment on function job_queue.end_dependent(public.background_jobs, text, text) is
  'Fails or cancels a job because a parent did not complete, and so on down to its own dependents.';

create function job_queue.reconcile_parents() returns void
language plpgsql
set search_path = ''
as $$
begin
  perform job_queue.settle_dependents(array(
    select distinct d.parent_id from public.background_job_dependencies d
    where not d.settled
      and not exists (select from public.background_jobs j where j.id = d.parent_id and j.status in ('queued', 'processing'))
    order by d.parent_id limit 1000));
end
$$;
comment on function job_queue.reconcile_parents() is
  'Settles what waits for jobs that have ended, at most 1,000 of these a call: what an edit past the triggers, or a locked row, left.';

create function job_queue.after_end(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  if exists (select from public.background_job_dependencies d where d.parent_id = any (p_ids) and not d.settled) then
    perform job_queue.settle_dependents(p_ids);
  end if;
end
$$;
comment on function job_queue.after_end(uuid[]) is
  'What the end of jobs (completed, failed, cancelled or deleted) brings about for others, in the same transaction.';

create function public.get_parent_jobs(job_id uuid)
returns table (id uuid, type text, status text, result jsonb, error text)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return query
    select j.id, j.type, j.status, j.result, j.error
    from public.background_job_dependencies d join public.background_jobs j on j.id = d.parent_id
    where d.job_id = get_parent_jobs.job_id order by j.id;
end
$$;
comment on function public.get_parent_jobs(uuid) is
  'The jobs that the job depends on, oldest first, with their results; no row when it depends on none.';

revoke all on function public.get_parent_jobs(uuid) from public, anon, authenticated;
grant execute on function public.get_parent_jobs(uuid) to service_role;
revoke all on function job_queue.waits_for_parents(uuid), job_queue.require_valid_dependencies(jsonb),
  job_queue.link_parents(jsonb, uuid[], boolean[]), job_queue.settle_dependents(uuid[]), job_queue.settle_dependent(uuid),
  job_queue.end_dependent(public.background_jobs, text, text), job_queue.reconcile_parents(), job_queue.after_end(uuid[])
  from public, anon, authenticated, service_role;
