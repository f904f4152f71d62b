-- Embeddings of issues, pull requests and discussions, and what is due. The vector is an array of real numbers wherever
-- the database runs; where pgvector exists it adds indexes over the same column (20261122000776_pgvector.sql).

create schema if not exists embedding;
comment on schema embedding is 'Internals of the embedding functions. Nothing here is a contract.';
revoke all on schema embedding from public;

create table public.embeddings (
  item_type text not null,
  item_id uuid not null,
  model text not null,
  repository_id uuid not null,
  content_hash text not null,
  dimensions integer,
  vector real[],
  tokens integer not null default 0,
  error text,
  embedded_at timestamptz not null default clock_timestamp(),
  constraint embeddings_pkey primary key (item_type, item_id, model),
  constraint embeddings_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade,
  constraint embeddings_item_type_check check (item_type in ('issue', 'pull_request', 'discussion')),
  constraint embeddings_content_hash_check check (content_hash ~ '^[0-9a-f]{64}$'),
  constraint embeddings_vector_or_error_check check ((vector is null) = (error is not null)),
  constraint embeddings_dimensions_check check (dimensions is not distinct from cardinality(vector)),
  constraint embeddings_tokens_check check (tokens >= 0)
);
-- Numbers like these do not compress: trying to would only cost time at every read.
alter table public.embeddings alter column vector set storage external;

create index embeddings_repository_id_model_idx on public.embeddings (repository_id, model);

create table public.embedding_due (
  model text not null,
  item_type text not null,
  item_id uuid not null,
  repository_id uuid not null,
  changed_at timestamptz not null,
  constraint embedding_due_pkey primary key (item_type, item_id, model),
  constraint embedding_due_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade,
  constraint embedding_due_item_type_check check (item_type in ('issue', 'pull_request', 'discussion'))
);

create index embedding_due_model_changed_at_idx on public.embedding_due (model, changed_at, item_type, item_id);
create index embedding_due_repository_id_idx
  on public.embedding_due (repository_id, model, changed_at, item_type, item_id);

create table public.embedded_repositories (
  model text not null,
  repository_id uuid not null,
  constraint embedded_repositories_pkey primary key (repository_id, model),
  constraint embedded_repositories_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade
);

comment on table public.embeddings is
  'One row per item and model: the vector of its title and body, or why there is none. Written by store_embeddings.';
comment on column public.embeddings.content_hash is
  'SHA-256, in hex, of title, two line feeds and body, as they were when the vector was made.';
comment on column public.embeddings.vector is
  'Divided by its length, so that the dot product of two vectors of one model is their cosine similarity.';
comment on column public.embeddings.tokens is 'What the model counted, if it counts.';
comment on column public.embeddings.error is 'Why this content has no vector. It is tried again when the content changes.';
comment on table public.embedding_due is
  'Items whose title or body changed since the model embedded them, or that it never embedded. Triggers add rows, and an embedding takes them away.';
comment on column public.embedding_due.changed_at is
  'When the content changed; GitHub''s updated_at for an item that was there before the model.';
comment on table public.embedded_repositories is
  'For which models the items of a repository are looked after in embedding_due.';

do $$
declare
  name text;
begin
  foreach name in array array['embeddings', 'embedding_due', 'embedded_repositories'] loop
    execute format('alter table public.%I enable row level security', name);
    execute format('revoke all on table public.%I from public, anon, authenticated, service_role', name);
    execute format('grant select on table public.%I to service_role', name);
  end loop;
end
$$;
grant insert, update, delete on table public.embeddings to service_role;

create view embedding.items with (security_invoker = true) as
  select 'issue'::text as item_type, i.id as item_id, i.repository_id, i.title, i.body, i.updated_at from public.issues i
  union all
  select 'pull_request', p.id, p.repository_id, p.title, p.body, p.updated_at from public.pull_requests p
  union all
  select 'discussion', d.id, d.repository_id, d.title, d.body, d.updated_at from public.discussions d;
comment on view embedding.items is 'Everything that is embedded, under one roof.';

create function embedding.content(title text, body text) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return title || E'\n\n' || coalesce(body, '');
end
$$;
comment on function embedding.content(text, text) is 'The text that is embedded.';

create function embedding.content_hash(title text, body text) returns text
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  return encode(sha256(convert_to(embedding.content(title, body), 'UTF8')), 'hex');
end
$$;
comment on function embedding.content_hash(text, text) is 'SHA-256, in hex, of the text that is embedded.';

create function embedding.require_item_type(argument text, item_type text) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if item_type is null or item_type not in ('issue', 'pull_request', 'discussion') then
    raise exception using errcode = 'PT400', message = format(
      '%s: expected issue, pull_request or discussion, got %s', argument, coalesce(quote_literal(item_type), 'nothing'));
  end if;
end
$$;
comment on function embedding.require_item_type(text, text) is
  'Returns nothing; refuses (PT400) what is no type of item, naming the argument.';

create function embedding.require_between(argument text, value integer, lowest integer, highest integer) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if value is null or value not between lowest and highest then
    raise exception using errcode = 'PT400', message = format(
      '%s: expected a whole number from %s to %s, got %s', argument, lowest, highest, coalesce(value::text, 'nothing'));
  end if;
end
$$;
comment on function embedding.require_between(text, integer, integer, integer) is
  'Returns nothing; refuses (PT400) a number outside the bounds, naming the argument.';

create function embedding.require_model(model text) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if model is null or model !~ '^\S{1,200}$' then
    raise exception using errcode = 'PT400',
      message = format('model: expected a name of 1 to 200 characters without spaces, got %s', coalesce(quote_literal(model), 'nothing'));
  end if;
end
$$;
comment on function embedding.require_model(text) is 'Returns nothing; refuses (PT400) what is no name of a model.';

revoke all on all functions in schema embedding from public, anon, authenticated;
