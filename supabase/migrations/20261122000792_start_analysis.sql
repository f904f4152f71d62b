-- A signed-in user starts an analysis. Called as that user, so that the gateway has checked their token.

create function public.get_signed_in_user() returns uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_sub text := nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub';
begin
  if v_sub is null or v_sub !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    raise exception using errcode = 'PT401', message = 'expected the access token of a signed-in user';
  end if;
  return v_sub::uuid;
end
$$;
comment on function public.get_signed_in_user() is
  'The id of the user whose access token came with the call. Refuses (PT401) a call without one.';

create function public.start_analysis(repo_id uuid)
returns table (id uuid, user_id uuid, status text, created boolean)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_user uuid := public.get_signed_in_user();
  v_month timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
  v_plan public.analysis_plans;
  v_used bigint;
begin
  if start_analysis.repo_id is null then
    raise exception using errcode = 'PT400', message = 'repo_id: expected the id of a repository, got null';
  end if;
  -- Of two calls at once, the second sees what the first has made.
  perform pg_advisory_xact_lock(hashtextextended('start_analysis ' || v_user, 0));
  return query
  select a.id, a.user_id, a.status, false from public.analysis_jobs a
  where a.user_id = v_user and a.repository_id = start_analysis.repo_id and a.status in ('pending', 'running');
  if found then return; end if;
  if not exists (select from public.repositories r where r.id = start_analysis.repo_id) then
    raise exception using errcode = 'PT404',
      message = format('repo_id: expected the id of a known repository, got %s', start_analysis.repo_id);
  end if;
  select p.* into v_plan from public.analysis_plans p
  where p.plan = coalesce((select s.plan from public.analysis_subscribers s where s.user_id = v_user), 'free');
  -- Those that ended in error are not counted.
  select count(*) into v_used from public.analysis_jobs a
  where a.user_id = v_user and a.created_at >= v_month and a.status <> 'error';
  -- Who brings a key of their own pays for the narrative, which is what an analysis costs.
  if v_used >= v_plan.analyses_per_month and not exists (
    select from public.user_credentials c where c.user_id = v_user and c.provider = 'openai') then
    raise exception using errcode = 'PT402', message = format(
      'the plan %s allows %s analyses a month, and this month''s are used: wait until %s, take another plan, or store an OpenAI key of your own',
      v_plan.plan, v_plan.analyses_per_month, ((v_month at time zone 'UTC') + interval '1 month')::date);
  end if;
  return query
  insert into public.analysis_jobs as a (user_id, repository_id) values (v_user, start_analysis.repo_id)
  returning a.id, a.user_id, a.status, true;
end
$$;
comment on function public.start_analysis(uuid) is
  'The signed-in user''s pending or running analysis of the repository, with created = false, or a new pending one. Refuses without a user (PT401), null (PT400), an unknown repository (PT404), and beyond the analyses of the plan (PT402).';

revoke all on function public.get_signed_in_user(), public.start_analysis(uuid) from public, anon;
grant execute on function public.get_signed_in_user(), public.start_analysis(uuid) to authenticated, service_role;
