-- Analyses of repositories that users ask for. analysis_jobs is what a user sees; the work is a background job.

create table public.analysis_plans (
  plan text not null,
  analyses_per_month integer,
  constraint analysis_plans_pkey primary key (plan),
  constraint analysis_plans_natural check (analyses_per_month >= 0)
);
comment on table public.analysis_plans is
  'How many analyses a user of a plan may start in a calendar month (UTC). Edit it in place: it holds at once. Without the row free, who has no other plan has no limit.';
comment on column public.analysis_plans.analyses_per_month is 'Null: no limit.';
insert into public.analysis_plans (plan, analyses_per_month) values ('free', 5);

create table public.analysis_subscribers (
  user_id uuid not null,
  plan text not null,
  constraint analysis_subscribers_pkey primary key (user_id),
  constraint analysis_subscribers_plan_fkey
    foreign key (plan) references public.analysis_plans (plan) on update cascade on delete cascade
);
create index analysis_subscribers_plan_idx on public.analysis_subscribers (plan);
comment on table public.analysis_subscribers is 'Users on another plan than free.';

create table public.analysis_jobs (
  id uuid not null default public.uuid_v7(),
  user_id uuid not null,
  repository_id uuid,
  status text not null default 'pending',
  error text,
  result jsonb,
  job_id uuid,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  constraint analysis_jobs_pkey primary key (id),
  constraint analysis_jobs_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete set null,
  constraint analysis_jobs_status_known check (status in ('pending', 'running', 'completed', 'error')),
  constraint analysis_jobs_result_of_completed check ((status = 'completed') = (result is not null)),
  constraint analysis_jobs_error_of_failed check ((status = 'error') = (error is not null))
);
create unique index analysis_jobs_active_key on public.analysis_jobs (user_id, repository_id)
  where status in ('pending', 'running');
create index analysis_jobs_user_id_created_at_idx on public.analysis_jobs (user_id, created_at desc);
create index analysis_jobs_repository_id_idx on public.analysis_jobs (repository_id);
create index analysis_jobs_job_id_idx on public.analysis_jobs (job_id);
comment on table public.analysis_jobs is
  'One row per analysis that a user asked for; of one repository at most one is pending or running. Rows outlive their repository, for they count against the plan.';
comment on column public.analysis_jobs.job_id is
  'The background job that did the work; it may have been pruned since. Null: none has begun.';
comment on column public.analysis_jobs.completed_at is 'When it ended, completed or in error.';

create table public.analysis_commits (
  analysis_id uuid not null,
  sha text not null,
  position integer not null,
  authored_at timestamptz not null,
  utc_offset_minutes integer,
  author text not null,
  is_bot boolean not null,
  headline text not null,
  parents integer not null,
  additions integer not null,
  deletions integer not null,
  files jsonb,
  constraint analysis_commits_pkey primary key (analysis_id, sha),
  constraint analysis_commits_analysis_id_fkey
    foreign key (analysis_id) references public.analysis_jobs (id) on delete cascade,
  constraint analysis_commits_files_list check (jsonb_typeof(files) = 'array')
);
comment on table public.analysis_commits is
  'What a running analysis has read so far. Removed when it completes, and when its background job is deleted.';
comment on column public.analysis_commits.position is 'From 0, the newest, in the order of the branch.';
comment on column public.analysis_commits.utc_offset_minutes is 'Of the author''s clock; null: not known.';
comment on column public.analysis_commits.files is 'Paths that the commit changed; null: not asked for.';

do $$
declare
  v_table text;
begin
  foreach v_table in array array['analysis_plans', 'analysis_subscribers', 'analysis_jobs', 'analysis_commits'] loop
    execute format('alter table public.%I enable row level security', v_table);
    execute format('revoke all on table public.%I from public, anon, authenticated, service_role', v_table);
    execute format('grant select, insert, update, delete on table public.%I to service_role', v_table);
  end loop;
end
$$;

-- A user follows the state of their own analyses, and of nobody else's.
grant select on table public.analysis_jobs to authenticated;
create policy analysis_jobs_own on public.analysis_jobs for select to authenticated
  using (user_id::text = (select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'));
