-- A note for each statement that changed what a repository's metrics are made of, so that only what changed is read again.
--
-- Notes are only ever added, one per repository and statement, never merged into one row: captures of one repository that
-- run side by side wait for nobody, and one that has not committed yet keeps its note until somebody has seen its rows.

create schema if not exists metrics;
comment on schema metrics is 'Internals of aggregate_workspace_metrics. Nothing here is a contract.';
revoke all on schema metrics from public;

create table public.repository_changes (
  id uuid not null default public.uuid_v7(),
  repository_id uuid not null,
  changed_at timestamptz not null default now(),
  constraint repository_changes_pkey primary key (id)
);

create index repository_changes_repository_id_idx on public.repository_changes (repository_id);

comment on table public.repository_changes is
  'Statements that changed pull requests, reviews or comments of a repository since its repository_daily_metrics were computed.';
comment on column public.repository_changes.repository_id is
  'No foreign key: the pull requests of a repository that is being deleted are noted, too.';

alter table public.repository_changes enable row level security;
revoke all on table public.repository_changes from public, anon, authenticated, service_role;
grant select on table public.repository_changes to service_role;

-- Definer: who writes captured rows by hand need not be allowed to write notes.
create function metrics.note_pull_requests() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into public.repository_changes (repository_id) select distinct c.repository_id from changed c;
  return null;
end
$$;
comment on function metrics.note_pull_requests() is 'Notes the repositories of the pull requests that the statement changed.';

create function metrics.note_feedback() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into public.repository_changes (repository_id)
  select distinct p.repository_id
  from public.pull_requests p
  where p.id in (select c.pull_request_id from changed c);
  return null;
end
$$;
comment on function metrics.note_feedback() is
  'Notes the repositories of the pull requests whose reviews or comments the statement changed; comments of issues are not counted.';

revoke all on function metrics.note_pull_requests(), metrics.note_feedback() from public, anon, authenticated;

create trigger pull_requests_noted_insert after insert on public.pull_requests
  referencing new table as changed for each statement execute function metrics.note_pull_requests();
create trigger pull_requests_noted_update after update on public.pull_requests
  referencing new table as changed for each statement execute function metrics.note_pull_requests();
create trigger pull_requests_noted_delete after delete on public.pull_requests
  referencing old table as changed for each statement execute function metrics.note_pull_requests();
create trigger reviews_noted_insert after insert on public.reviews
  referencing new table as changed for each statement execute function metrics.note_feedback();
create trigger reviews_noted_update after update on public.reviews
  referencing new table as changed for each statement execute function metrics.note_feedback();
create trigger reviews_noted_delete after delete on public.reviews
  referencing old table as changed for each statement execute function metrics.note_feedback();
create trigger comments_noted_insert after insert on public.comments
  referencing new table as changed for each statement execute function metrics.note_feedback();
create trigger comments_noted_update after update on public.comments
  referencing new table as changed for each statement execute function metrics.note_feedback();
create trigger comments_noted_delete after delete on public.comments
  referencing old table as changed for each statement execute function metrics.note_feedback();
