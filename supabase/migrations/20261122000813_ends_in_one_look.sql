-- What the end of a job brings about is asked in one query, and analyses follow their jobs from there too: a trigger on
-- background_jobs for them made every claim, completion and enqueue read its WHEN clause.

drop trigger background_jobs_analysis_ended on public.background_jobs;
drop trigger background_jobs_analysis_inserted on public.background_jobs;

create function job_queue.end_analyses(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform job_queue.fail_analysis(
    j, case j.status when 'failed' then j.error else concat_ws(': ', 'cancelled', j.cancel_reason) end)
  from public.background_jobs j
  where j.id = any (p_ids) and j.type = 'repo/analyze.requested' and j.status in ('failed', 'cancelled');
end
$$;
comment on function job_queue.end_analyses(uuid[]) is
  'Ends the analyses of those of the jobs that failed or were cancelled in error.';

create or replace function job_queue.follow_analysis() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  perform job_queue.fail_analysis(old, 'its background job was deleted');
  delete from public.analysis_commits c
  using public.analysis_jobs a where a.job_id = old.id and c.analysis_id = a.id;
  return null;
end
$$;
comment on function job_queue.follow_analysis() is
  'Trigger: an analysis whose background job was deleted ends in error, in the same transaction.';

create or replace function job_queue.after_end(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_concerned record;
begin
  -- Small tables and indexes first: who uses none of these pays for one look.
  select
    exists (select from public.background_job_dependencies d where d.parent_id = any (p_ids) and not d.settled) as children,
    exists (select from public.callback_endpoints) as callbacks,
    exists (select from public.job_types t where t.has_on_failure) as on_failure,
    exists (select from public.job_types t where t.awaits_completion) as awaited,
    exists (select from public.analysis_jobs a where a.status in ('pending', 'running')) as analyses
  into v_concerned;
  if v_concerned.children then perform job_queue.settle_dependents(p_ids); end if;
  if v_concerned.callbacks then perform job_queue.start_callbacks(p_ids); end if;
  if v_concerned.on_failure then perform job_queue.start_on_failure(p_ids); end if;
  if v_concerned.awaited then perform job_queue.start_job_finished(p_ids); end if;
  if v_concerned.analyses then perform job_queue.end_analyses(p_ids); end if;
end
$$;

revoke all on function job_queue.end_analyses(uuid[]) from public, anon, authenticated, service_role;
