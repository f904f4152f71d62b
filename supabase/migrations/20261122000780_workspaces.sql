-- Workspaces: repositories that somebody looks at together.

create table public.workspaces (
  id uuid not null default public.uuid_v7(),
  name text not null,
  slug text not null,
  owner_id uuid,
  active boolean not null default true,
  created_at timestamptz not null default now(),
  constraint workspaces_pkey primary key (id),
  constraint workspaces_slug_key unique (slug),
  constraint workspaces_name_check check (btrim(name) <> ''),
  constraint workspaces_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$')
);

create index workspaces_owner_id_idx on public.workspaces (owner_id);
create index workspaces_active_idx on public.workspaces (id) where active;

comment on table public.workspaces is 'Repositories that somebody looks at together. How eagerly each is synced stands in tracked_repositories.';
comment on column public.workspaces.slug is 'Its name in URLs: lower-case letters and digits in parts joined by dashes.';
comment on column public.workspaces.owner_id is
  'The id of a user of Supabase Auth, who may read it; null: only the service may. No foreign key, since there are databases without Supabase Auth.';
comment on column public.workspaces.active is 'False: its metrics are no longer computed by schedule; they stay as they are.';

create table public.workspace_repositories (
  workspace_id uuid not null,
  repository_id uuid not null,
  added_at timestamptz not null default now(),
  constraint workspace_repositories_pkey primary key (workspace_id, repository_id),
  constraint workspace_repositories_workspace_id_fkey
    foreign key (workspace_id) references public.workspaces (id) on delete cascade,
  constraint workspace_repositories_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade
);

create index workspace_repositories_repository_id_idx on public.workspace_repositories (repository_id);

comment on table public.workspace_repositories is
  'Which repositories a workspace has. Whoever adds or removes one sends workspace/repository-change, so that the metrics follow at once; without the event they follow by schedule.';

-- Metrics hold what is in private repositories: a signed-in user reads the workspaces that are his or hers.
alter table public.workspaces enable row level security;
revoke all on table public.workspaces from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.workspaces to service_role;
grant select on table public.workspaces to authenticated;
create policy workspaces_read on public.workspaces for select to authenticated
  using (owner_id = (select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid));

alter table public.workspace_repositories enable row level security;
revoke all on table public.workspace_repositories from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.workspace_repositories to service_role;
grant select on table public.workspace_repositories to authenticated;
create policy workspace_repositories_read on public.workspace_repositories for select to authenticated
  using (exists (select from public.workspaces w where w.id = workspace_id));
