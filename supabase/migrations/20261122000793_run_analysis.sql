-- What the job repo/analyze.requested reads and writes, and how analysis_jobs follows the job when it cannot say so itself.

create function public.begin_analysis(analysis_id uuid, user_id uuid, repository_id uuid, job_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_analysis public.analysis_jobs;
  v_repository public.repositories;
begin
  select a.* into v_analysis from public.analysis_jobs a
  where a.id = begin_analysis.analysis_id and a.user_id = begin_analysis.user_id
    and a.repository_id = begin_analysis.repository_id
  for update;
  if not found then
    return jsonb_build_object('refused', 'jobId: expected an analysis of this user and repository, got none');
  end if;
  if v_analysis.status = 'completed' and v_analysis.job_id is distinct from begin_analysis.job_id then
    return jsonb_build_object('refused', 'jobId: the analysis has completed already');
  end if;
  if v_analysis.status = 'running' and v_analysis.job_id is distinct from begin_analysis.job_id then
    return jsonb_build_object('refused', format('jobId: job %s works on this analysis', v_analysis.job_id));
  end if;
  if v_analysis.status = 'error' and exists (
    select from public.analysis_jobs a where a.user_id = v_analysis.user_id
      and a.repository_id = v_analysis.repository_id and a.status in ('pending', 'running')) then
    return jsonb_build_object('refused', 'jobId: the user has started another analysis of the repository since');
  end if;
  update public.analysis_jobs a
  set status = 'running', job_id = begin_analysis.job_id, error = null, result = null, completed_at = null,
      started_at = coalesce(a.started_at, now())
  where a.id = v_analysis.id;
  select r.* into v_repository from public.repositories r where r.id = v_analysis.repository_id;
  return jsonb_build_object('owner', v_repository.owner, 'name', v_repository.name, 'github_id', v_repository.github_id);
end
$$;
comment on function public.begin_analysis(uuid, uuid, uuid, uuid) is
  'Gives the analysis to the background job, sets it to running, and returns {owner, name, github_id} of its repository; {refused: reason} when there is no such analysis or another job has it. May be repeated by the same job.';

create function public.store_analysis_commits(analysis_id uuid, commits jsonb) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_stored integer;
begin
  if jsonb_typeof(commits) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = 'commits: expected an array of commits';
  end if;
  insert into public.analysis_commits as c (
    analysis_id, sha, position, authored_at, utc_offset_minutes, author, is_bot, headline, parents, additions, deletions)
  select store_analysis_commits.analysis_id, i.sha, i.position, i.authored_at, i.utc_offset_minutes, i.author, i.is_bot,
         i.headline, i.parents, i.additions, i.deletions
  from jsonb_to_recordset(commits) as i(
    sha text, position integer, authored_at timestamptz, utc_offset_minutes integer, author text, is_bot boolean,
    headline text, parents integer, additions integer, deletions integer)
  on conflict on constraint analysis_commits_pkey do nothing;
  get diagnostics v_stored = row_count;
  return v_stored;
end
$$;
comment on function public.store_analysis_commits(uuid, jsonb) is
  'Stores a page of commits [{sha, position, authored_at, utc_offset_minutes, author, is_bot, headline, parents, additions, deletions}] of an analysis; known ones stay. Returns how many were new. Refuses anything but an array (PT400).';

create function public.store_analysis_files(analysis_id uuid, details jsonb) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_stored integer;
begin
  if jsonb_typeof(details) is distinct from 'array' then
    raise exception using errcode = 'PT400', message = 'details: expected an array of commits with their files';
  end if;
  update public.analysis_commits c set files = i.files
  from jsonb_to_recordset(details) as i(sha text, files jsonb)
  where c.analysis_id = store_analysis_files.analysis_id and c.sha = i.sha;
  get diagnostics v_stored = row_count;
  return v_stored;
end
$$;
comment on function public.store_analysis_files(uuid, jsonb) is
  'Stores the paths [{sha, files}] that commits of an analysis changed. Returns how many commits it knew. Refuses anything but an array (PT400).';

create function public.list_analysis_commits(analysis_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_agg(to_jsonb(c) - 'analysis_id' - 'position' order by c.position, c.sha), '[]')
    from public.analysis_commits c where c.analysis_id = list_analysis_commits.analysis_id);
end
$$;
comment on function public.list_analysis_commits(uuid) is
  'All commits that the analysis has stored, newest first, as one array. Never refuses.';

create function public.finish_analysis(analysis_id uuid, job_id uuid, result jsonb) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  if jsonb_typeof(finish_analysis.result) is distinct from 'object' then
    raise exception using errcode = 'PT400', message = 'result: expected an object';
  end if;
  update public.analysis_jobs a
  set status = 'completed', result = finish_analysis.result, error = null, completed_at = coalesce(a.completed_at, now())
  where a.id = finish_analysis.analysis_id and a.job_id = finish_analysis.job_id and a.status in ('running', 'completed');
  if not found then return false; end if;
  delete from public.analysis_commits c where c.analysis_id = finish_analysis.analysis_id;
  return true;
end
$$;
comment on function public.finish_analysis(uuid, uuid, jsonb) is
  'Completes the analysis with its result and removes its commits. False when it is not this job''s any more: ended in error, or deleted. Refuses a result that is no object (PT400).';

create function job_queue.fail_analysis(p_job public.background_jobs, p_error text) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_analysis uuid := case when p_job.payload ->> 'jobId' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                          then (p_job.payload ->> 'jobId')::uuid end;
begin
  update public.analysis_jobs a
  set status = 'error', error = coalesce(nullif(p_error, ''), 'unknown'), completed_at = now()
  where a.id = v_analysis and a.status in ('pending', 'running') and (a.job_id is null or a.job_id = p_job.id)
    and a.user_id::text = lower(p_job.payload ->> 'userId')
    and (a.repository_id is null or a.repository_id::text = lower(p_job.payload ->> 'repoId'));
end
$$;
comment on function job_queue.fail_analysis(public.background_jobs, text) is
  'Ends the analysis that the job''s payload names in error, unless it has ended, another job works on it, or it is of another user or repository.';

create function job_queue.follow_analysis() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    perform job_queue.fail_analysis(old, 'its background job was deleted');
    delete from public.analysis_commits c
    using public.analysis_jobs a where a.job_id = old.id and c.analysis_id = a.id;
  elsif new.status = 'failed' then
    perform job_queue.fail_analysis(new, new.error);
  else
    perform job_queue.fail_analysis(new, concat_ws(': ', 'cancelled', new.cancel_reason));
  end if;
  return null;
end
$$;
comment on function job_queue.follow_analysis() is
  'Trigger: an analysis whose background job failed, was cancelled or was deleted ends in error, in the same transaction.';

-- Conditions of their own, so that jobs of other types pay a comparison of two texts and nothing more.
create trigger background_jobs_analysis_ended after update of status on public.background_jobs
  for each row when (new.type = 'repo/analyze.requested' and new.status in ('failed', 'cancelled') and new.status <> old.status)
  execute function job_queue.follow_analysis();
create trigger background_jobs_analysis_inserted after insert on public.background_jobs
  for each row when (new.type = 'repo/analyze.requested' and new.status in ('failed', 'cancelled'))
  execute function job_queue.follow_analysis();
create trigger background_jobs_analysis_deleted after delete on public.background_jobs
  for each row when (old.type = 'repo/analyze.requested')
  execute function job_queue.follow_analysis();

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'begin_analysis(uuid, uuid, uuid, uuid)', 'store_analysis_commits(uuid, jsonb)', 'store_analysis_files(uuid, jsonb)',
    'list_analysis_commits(uuid)', 'finish_analysis(uuid, uuid, jsonb)'] loop
    execute format('revoke all on function public.%s from public, anon, authenticated', v_function);
    execute format('grant execute on function public.%s to service_role', v_function);
  end loop;
end
$$;
revoke all on function job_queue.fail_analysis(public.background_jobs, text), job_queue.follow_analysis()
  from public, anon, authenticated, service_role;
