-- What the capture jobs copy from GitHub. Rows are matched by GitHub's own ids, so capturing a thing twice leaves one row.
-- `created_at`, `updated_at` and the other times of an event are GitHub's; only the `…synced_at` columns are ours.

create table public.repositories (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  owner text not null,
  name text not null,
  description text,
  private boolean not null default false,
  fork boolean not null default false,
  archived boolean not null default false,
  default_branch text,
  language text,
  stargazers_count integer not null default 0,
  html_url text,
  created_at timestamptz,
  updated_at timestamptz,
  pushed_at timestamptz,
  last_synced_at timestamptz not null default now(),
  pull_requests_synced_at timestamptz,
  constraint repositories_pkey primary key (id),
  constraint repositories_github_id_key unique (github_id)
);

-- Not unique: after a rename on GitHub another repository may take the old name before we hear of the first one's new name.
create index repositories_owner_name_idx on public.repositories (lower(owner), lower(name));

create table public.contributors (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  username text not null,
  account_type text not null,
  is_bot boolean not null default false,
  avatar_url text,
  last_synced_at timestamptz not null default now(),
  constraint contributors_pkey primary key (id),
  constraint contributors_github_id_key unique (github_id)
);

create index contributors_username_idx on public.contributors (lower(username));

create table public.pull_requests (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  repository_id uuid not null,
  author_id uuid,
  merged_by_id uuid,
  number integer not null,
  title text not null,
  body text,
  state text not null,
  draft boolean not null default false,
  merged boolean not null default false,
  base_branch text not null,
  head_branch text not null,
  head_sha text,
  additions integer,
  deletions integer,
  changed_files integer,
  commits integer,
  html_url text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  closed_at timestamptz,
  merged_at timestamptz,
  last_synced_at timestamptz not null default now(),
  details_synced_at timestamptz,
  reviews_synced_at timestamptz,
  comments_synced_at timestamptz,
  constraint pull_requests_pkey primary key (id),
  constraint pull_requests_github_id_key unique (github_id),
  constraint pull_requests_repository_id_number_key unique (repository_id, number),
  constraint pull_requests_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade,
  constraint pull_requests_author_id_fkey
    foreign key (author_id) references public.contributors (id) on delete set null,
  constraint pull_requests_merged_by_id_fkey
    foreign key (merged_by_id) references public.contributors (id) on delete set null,
  constraint pull_requests_state_check check (state in ('open', 'closed'))
);

create index pull_requests_repository_id_created_at_idx on public.pull_requests (repository_id, created_at desc);
create index pull_requests_author_id_idx on public.pull_requests (author_id);
create index pull_requests_merged_by_id_idx on public.pull_requests (merged_by_id);

create table public.issues (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  repository_id uuid not null,
  author_id uuid,
  number integer not null,
  title text not null,
  body text,
  state text not null,
  state_reason text,
  html_url text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  closed_at timestamptz,
  last_synced_at timestamptz not null default now(),
  constraint issues_pkey primary key (id),
  constraint issues_github_id_key unique (github_id),
  constraint issues_repository_id_number_key unique (repository_id, number),
  constraint issues_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade,
  constraint issues_author_id_fkey
    foreign key (author_id) references public.contributors (id) on delete set null,
  constraint issues_state_check check (state in ('open', 'closed'))
);

create index issues_repository_id_updated_at_idx on public.issues (repository_id, updated_at desc);
create index issues_author_id_idx on public.issues (author_id);

create table public.reviews (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  pull_request_id uuid not null,
  reviewer_id uuid,
  state text not null,
  body text,
  commit_sha text,
  html_url text,
  submitted_at timestamptz,
  last_synced_at timestamptz not null default now(),
  constraint reviews_pkey primary key (id),
  constraint reviews_github_id_key unique (github_id),
  constraint reviews_pull_request_id_fkey
    foreign key (pull_request_id) references public.pull_requests (id) on delete cascade,
  constraint reviews_reviewer_id_fkey
    foreign key (reviewer_id) references public.contributors (id) on delete set null,
  constraint reviews_state_check
    check (state in ('APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING'))
);

create index reviews_pull_request_id_idx on public.reviews (pull_request_id);
create index reviews_reviewer_id_idx on public.reviews (reviewer_id);

create table public.comments (
  id uuid not null default public.uuid_v7(),
  github_id bigint not null,
  comment_type text not null,
  pull_request_id uuid,
  issue_id uuid,
  commenter_id uuid,
  in_reply_to_github_id bigint,
  review_github_id bigint,
  body text,
  path text,
  line integer,
  html_url text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_synced_at timestamptz not null default now(),
  constraint comments_pkey primary key (id),
  -- GitHub numbers review comments and issue comments separately, so the same number may mean two comments.
  constraint comments_github_id_comment_type_key unique (github_id, comment_type),
  constraint comments_pull_request_id_fkey
    foreign key (pull_request_id) references public.pull_requests (id) on delete cascade,
  constraint comments_issue_id_fkey
    foreign key (issue_id) references public.issues (id) on delete cascade,
  constraint comments_commenter_id_fkey
    foreign key (commenter_id) references public.contributors (id) on delete set null,
  constraint comments_comment_type_check check (comment_type in ('review_comment', 'issue_comment')),
  constraint comments_one_parent_check check (num_nonnulls(pull_request_id, issue_id) = 1)
);

create index comments_pull_request_id_idx on public.comments (pull_request_id);
create index comments_issue_id_idx on public.comments (issue_id);
create index comments_commenter_id_idx on public.comments (commenter_id);

comment on table public.repositories is 'GitHub repositories that jobs capture.';
comment on column public.repositories.last_synced_at is 'When the capture that last saw this repository began.';
comment on column public.repositories.pull_requests_synced_at is
  'When the last capture of its newest pull requests began; null: never. The freshness window counts from here.';
comment on table public.contributors is
  'GitHub accounts, bots and organisations included. A deleted account has no row: columns that would point to it are null.';
comment on column public.contributors.account_type is 'GitHub''s word: User, Bot, Organization, Mannequin, …';
comment on column public.contributors.last_synced_at is 'When the capture that last changed this row began.';
comment on table public.pull_requests is 'Pull requests. Null counts mean that no capture has fetched them yet.';
comment on column public.pull_requests.last_synced_at is 'When the capture that last saw this pull request began.';
comment on column public.pull_requests.details_synced_at is
  'When the last capture of its reviews and comments in one began; null: never. The freshness window counts from here.';
comment on column public.pull_requests.reviews_synced_at is
  'When the last capture of all its reviews alone began; null: never. The freshness window counts from here or from details_synced_at.';
comment on column public.pull_requests.comments_synced_at is
  'When the last capture of all its comments alone began; null: never. The freshness window counts from here or from details_synced_at.';
comment on table public.issues is 'Issues; pull requests are not among them.';
comment on column public.issues.last_synced_at is 'When the capture that last changed this row began.';
comment on table public.reviews is 'Reviews of pull requests, with GitHub''s upper-case states.';
comment on column public.reviews.submitted_at is 'Null while the review is pending.';
comment on column public.reviews.last_synced_at is 'When the capture that last changed this row began.';
comment on table public.comments is
  'Comments on code (review_comment) and in the conversation of a pull request or issue (issue_comment).';
comment on column public.comments.in_reply_to_github_id is
  'github_id of the first comment of the thread; null for that comment itself and outside threads.';
comment on column public.comments.review_github_id is 'github_id of the review that a review_comment belongs to.';
comment on column public.comments.line is 'Line of the file; null when the code under the comment is gone.';
comment on column public.comments.last_synced_at is 'When the capture that last changed this row began.';
