-- The repositories that are kept up to date, and how eagerly. Operators edit this table in Studio.

create table public.tracked_repositories (
  repository_id uuid not null,
  priority text not null default 'medium',
  enabled boolean not null default true,
  sync_discussions boolean not null default false,
  created_at timestamptz not null default now(),
  constraint tracked_repositories_pkey primary key (repository_id),
  constraint tracked_repositories_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade,
  constraint tracked_repositories_priority_check check (priority in ('high', 'medium', 'low'))
);

create index tracked_repositories_sync_discussions_idx on public.tracked_repositories (repository_id)
  where enabled and sync_discussions;

comment on table public.tracked_repositories is
  'Repositories that sync/workspace.priorities keeps up to date. One that is not here is captured only when somebody asks for it.';
comment on column public.tracked_repositories.priority is
  'How soon it is due for a refresh, and how far its jobs overtake others: high, medium or low.';
comment on column public.tracked_repositories.enabled is 'False: no refresh is started; the row stays.';
comment on column public.tracked_repositories.sync_discussions is 'Whether its discussions are captured too.';

-- As the captured tables: `service_role` reads and writes, signed-in users read, `anon` sees nothing.
alter table public.tracked_repositories enable row level security;
revoke all on table public.tracked_repositories from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.tracked_repositories to service_role;
grant select on table public.tracked_repositories to authenticated;
create policy tracked_repositories_read on public.tracked_repositories for select to authenticated using (true);

create function public.track_repository(repository_id uuid) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  if track_repository.repository_id is null then
    raise exception using errcode = 'PT400', message = 'repository_id: expected the id of a repository, got null';
  end if;
  insert into public.tracked_repositories (repository_id)
  select r.id from public.repositories r where r.id = track_repository.repository_id
  on conflict on constraint tracked_repositories_pkey do nothing;
  return found;
end
$$;
comment on function public.track_repository(uuid) is
  'Starts to track the repository with medium priority. True when it was not tracked yet; false when it was, whatever its settings, which stay, and when there is no such repository. Refuses (PT400) null.';

revoke all on function public.track_repository(uuid) from public, anon, authenticated;
grant execute on function public.track_repository(uuid) to service_role;
