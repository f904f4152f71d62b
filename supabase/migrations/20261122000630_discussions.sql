-- GitHub Discussions with their comments and accepted answers, captured for the repositories that are switched on in
-- tracked_repositories.

create table public.discussions (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  repository_id uuid not null,
  author_id uuid,
  answer_chosen_by_id uuid,
  number integer not null,
  title text not null,
  body text,
  category text not null,
  state text not null,
  state_reason text,
  locked boolean not null default false,
  is_answered boolean,
  answer_github_id bigint,
  answer_chosen_at timestamptz,
  upvotes integer not null default 0,
  html_url text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  closed_at timestamptz,
  last_synced_at timestamptz not null default now(),
  constraint discussions_pkey primary key (id),
  constraint discussions_github_id_key unique (github_id),
  constraint discussions_repository_id_number_key unique (repository_id, number),
  constraint discussions_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade,
  constraint discussions_author_id_fkey
    foreign key (author_id) references public.contributors (id) on delete set null,
  constraint discussions_answer_chosen_by_id_fkey
    foreign key (answer_chosen_by_id) references public.contributors (id) on delete set null,
  constraint discussions_state_check check (state in ('open', 'closed'))
);

create index discussions_repository_id_updated_at_idx on public.discussions (repository_id, updated_at desc);
create index discussions_author_id_idx on public.discussions (author_id);
create index discussions_answer_chosen_by_id_idx on public.discussions (answer_chosen_by_id);

create table public.discussion_comments (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  discussion_id uuid not null,
  author_id uuid,
  parent_github_id bigint,
  is_answer boolean not null default false,
  upvotes integer not null default 0,
  body text,
  html_url text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  last_synced_at timestamptz not null default now(),
  constraint discussion_comments_pkey primary key (id),
  constraint discussion_comments_github_id_key unique (github_id),
  constraint discussion_comments_discussion_id_fkey
    foreign key (discussion_id) references public.discussions (id) on delete cascade,
  constraint discussion_comments_author_id_fkey
    foreign key (author_id) references public.contributors (id) on delete set null
);

create index discussion_comments_discussion_id_created_at_idx
  on public.discussion_comments (discussion_id, created_at);
create index discussion_comments_author_id_idx on public.discussion_comments (author_id);

comment on table public.discussions is 'GitHub Discussions of the repositories that are switched on in tracked_repositories.';
comment on column public.discussions.category is 'The name of its category, as people see it.';
comment on column public.discussions.is_answered is 'Null where the category takes no answers.';
comment on column public.discussions.answer_github_id is
  'github_id of the comment or reply that was chosen as the answer; null: none was.';
comment on column public.discussions.state_reason is 'resolved, outdated, duplicate or reopened; null: GitHub gives none.';
comment on column public.discussions.last_synced_at is 'When the capture that last changed this row began.';
comment on table public.discussion_comments is 'Comments of discussions, and the replies to them.';
comment on column public.discussion_comments.parent_github_id is
  'github_id of the comment that it replies to; null for one at the top. Replies have no replies.';
comment on column public.discussion_comments.is_answer is 'Whether it is the chosen answer of its discussion.';
comment on column public.discussion_comments.deleted_at is
  'When it was deleted, if GitHub still shows its place because of the replies.';
comment on column public.discussion_comments.last_synced_at is 'When the capture that last changed this row began.';

-- As the captured tables: `service_role` reads and writes, signed-in users read, `anon` sees nothing.
alter table public.discussions enable row level security;
alter table public.discussion_comments enable row level security;
revoke all on table public.discussions, public.discussion_comments from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.discussions, public.discussion_comments to service_role;
grant select on table public.discussions, public.discussion_comments to authenticated;
create policy discussions_read on public.discussions for select to authenticated using (true);
create policy discussion_comments_read on public.discussion_comments for select to authenticated using (true);

alter table public.repositories
  add column discussions_synced_at timestamptz,
  add column discussions_synced_until timestamptz,
  add column discussions_cursor text;

comment on column public.repositories.discussions_synced_at is
  'When the last capture of its discussions that reached the end began; null: none did. The freshness window counts from here.';
comment on column public.repositories.discussions_synced_until is
  'GitHub''s time up to which every change of a discussion is stored; null: none is.';
comment on column public.repositories.discussions_cursor is
  'GitHub''s cursor of the discussion at discussions_synced_until, in the order of their changes: the next capture goes on behind it. Null: it begins with the longest unchanged.';
