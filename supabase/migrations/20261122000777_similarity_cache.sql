-- Per item the most similar items of its repository, kept ready. A call does a bounded part of the work, and only for
-- items whose embedding changed or whose list lost one.

create table public.similarity_cache (
  item_type text not null,
  item_id uuid not null,
  model text not null,
  similar_type text not null,
  similar_id uuid not null,
  repository_id uuid not null,
  similarity double precision not null,
  similar_embedded_at timestamptz not null,
  constraint similarity_cache_pkey primary key (item_type, item_id, model, similar_type, similar_id),
  constraint similarity_cache_item_fkey foreign key (item_type, item_id, model)
    references public.embeddings (item_type, item_id, model) on delete cascade,
  constraint similarity_cache_similar_fkey foreign key (similar_type, similar_id, model)
    references public.embeddings (item_type, item_id, model) on delete cascade,
  constraint similarity_cache_repository_id_fkey
    foreign key (repository_id) references public.repositories (id) on delete cascade
);

create index similarity_cache_similar_idx on public.similarity_cache (similar_type, similar_id, model);
create index similarity_cache_repository_id_model_idx on public.similarity_cache (repository_id, model);

create table public.similarity_lists (
  item_type text not null,
  item_id uuid not null,
  model text not null,
  embedded_at timestamptz not null,
  max_per_item integer not null,
  listed integer not null,
  constraint similarity_lists_pkey primary key (item_type, item_id, model),
  constraint similarity_lists_item_fkey foreign key (item_type, item_id, model)
    references public.embeddings (item_type, item_id, model) on delete cascade
);

comment on table public.similarity_cache is
  'The most similar items of every item, in its repository and by one model. Filled by recalculate_similarities.';
comment on column public.similarity_cache.similar_embedded_at is
  'embedded_at of the similar item when they were compared.';
comment on table public.similarity_lists is
  'From which embedding, and how long, each list of similarity_cache was made: who differs is calculated again.';
comment on column public.similarity_lists.listed is
  'Rows of the list. When fewer are left, an item went, and another may take its place.';

alter table public.similarity_cache enable row level security;
alter table public.similarity_lists enable row level security;
revoke all on table public.similarity_cache, public.similarity_lists from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.similarity_cache to service_role;
grant select on table public.similarity_lists to service_role;
grant select on table public.similarity_cache to authenticated;
create policy similarity_cache_read on public.similarity_cache for select to authenticated using (true);

create function public.recalculate_similarities(repository_id uuid, max_per_item integer, model text) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_lists bigint;
  v_due public.similarity_lists[];
  v_found public.similarity_cache[];
begin
  perform embedding.require_model(model);
  perform embedding.require_between('max_per_item', max_per_item, 1, 100);
  if repository_id is null then
    raise exception using errcode = 'PT400', message = 'repository_id: expected a uuid, got nothing';
  end if;
  -- Two at once would each work on lists that the other changes.
  perform pg_advisory_xact_lock(hashtextextended(format('recalculate_similarities %s %s', repository_id, model), 0));
  perform embedding.delete_gone_similarities(repository_id, model);
  v_lists := embedding.lists_per_call(repository_id, model);
  v_due := array(select due from embedding.due_lists(repository_id, model, max_per_item) as due limit v_lists);
  if v_due = '{}' then return 0; end if;
  delete from public.similarity_cache c using unnest(v_due) as d
  where (c.item_type, c.item_id, c.model) = (d.item_type, d.item_id, d.model);
  -- Lists of others that show an older vector of it lose it, and are due by that.
  delete from public.similarity_cache c using unnest(v_due) as d
  where (c.similar_type, c.similar_id, c.model) = (d.item_type, d.item_id, d.model)
    and c.similar_embedded_at <> d.embedded_at;
  v_found := array(select f from embedding.find_similar(repository_id, model, max_per_item, v_due) as f);
  insert into public.similarity_cache select f.* from unnest(v_found) as f
  on conflict on constraint similarity_cache_pkey do nothing;
  perform embedding.trim_lists(v_due, v_found, max_per_item);
  return cardinality(v_due);
end
$$;
comment on function public.recalculate_similarities(uuid, integer, text) is
  'Brings similarity_cache of a repository and model a bounded step further and returns how many lists were calculated: call it until it returns 0, when every item has its max_per_item most similar ones. Refuses (PT400) no repository, an empty model and max_per_item outside 1 to 100.';

create function embedding.delete_gone_similarities(repository_id uuid, model text) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.similarity_cache c
  where c.repository_id = delete_gone_similarities.repository_id and c.model = delete_gone_similarities.model
    and (
      select count(*) from public.embeddings e
      where e.repository_id = c.repository_id and e.model = c.model and e.vector is not null
        and (e.item_type, e.item_id) in ((c.item_type, c.item_id), (c.similar_type, c.similar_id))
    ) < 2;
end
$$;
comment on function embedding.delete_gone_similarities(uuid, text) is
  'Returns nothing; deletes pairs of which one has no vector any more, or has left the repository.';

create function embedding.due_lists(repository_id uuid, model text, max_per_item integer)
  returns setof public.similarity_lists
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select e.item_type, e.item_id, e.model, e.embedded_at, due_lists.max_per_item, 0
  from public.embeddings e
  left join public.similarity_lists l using (item_type, item_id, model)
  left join (
    select c.item_type, c.item_id, count(*) as rows
    from public.similarity_cache c
    where c.repository_id = due_lists.repository_id and c.model = due_lists.model
    group by c.item_type, c.item_id
  ) as listed using (item_type, item_id)
  where e.repository_id = due_lists.repository_id and e.model = due_lists.model and e.vector is not null
    and (l.embedded_at, l.max_per_item, l.listed)
      is distinct from (e.embedded_at, due_lists.max_per_item, coalesce(listed.rows, 0)::integer)
  order by e.embedded_at, e.item_type, e.item_id;
end
$$;
comment on function embedding.due_lists(uuid, text, integer) is
  'The items of a repository whose list is not the one of their embedding any more, as the rows they are to get.';

create function embedding.lists_per_call(repository_id uuid, model text) returns bigint
language plpgsql stable
set search_path = ''
as $$
declare
  -- Products of two numbers that take about 2 s: half a microsecond each as array elements, a nanosecond in pgvector.
  v_budget constant bigint := case when embedding.pgvector_schema() is null then 4000000 else 2000000000 end;
begin
  return (
    select least(1000, 1 + v_budget / greatest(sum(e.dimensions), 1)) from public.embeddings e
    where e.repository_id = lists_per_call.repository_id and e.model = lists_per_call.model);
end
$$;
comment on function embedding.lists_per_call(uuid, text) is
  'For how many items one call compares all items of the repository. At least 1.';

create function embedding.find_similar(
  repository_id uuid, model text, max_per_item integer, due public.similarity_lists[])
  returns setof public.similarity_cache
language plpgsql
set search_path = ''
as $$
begin
  return query
  with pairs as materialized (
    select * from embedding.compare(find_similar.repository_id, find_similar.model, due)
  ), lists as (
    select l.item_type, l.item_id, count(c.similarity) as listed, min(c.similarity) as least_similar
    from public.similarity_lists l
    left join public.similarity_cache c using (item_type, item_id, model)
    where l.model = find_similar.model
      and (l.item_type, l.item_id) in (select p.similar_type, p.similar_id from pairs p)
      -- A list that is due is made from scratch in its turn.
      and (l.item_type, l.item_id) not in (
        select d.item_type, d.item_id from embedding.due_lists(
          find_similar.repository_id, find_similar.model, find_similar.max_per_item) as d)
    group by l.item_type, l.item_id
  )
  select ranked.item_type, ranked.item_id, ranked.model, ranked.similar_type, ranked.similar_id, ranked.repository_id,
         ranked.similarity, ranked.similar_embedded_at
  from (
    select p.*, row_number() over (
      partition by p.item_type, p.item_id order by p.similarity desc, p.similar_type, p.similar_id) as place
    from pairs p
  ) as ranked
  where ranked.place <= find_similar.max_per_item
  union all
  select p.similar_type, p.similar_id, p.model, p.item_type, p.item_id, p.repository_id, p.similarity, d.embedded_at
  from pairs p
  join unnest(due) as d on d.item_type = p.item_type and d.item_id = p.item_id
  join lists l on l.item_type = p.similar_type and l.item_id = p.similar_id
  where l.listed < find_similar.max_per_item or p.similarity >= l.least_similar;
end
$$;
comment on function embedding.find_similar(uuid, text, integer, public.similarity_lists[]) is
  'The lists of the items that are due, and their entries in lists of others that are not: where one is full, the entry is as similar as its last.';

create function embedding.compare(repository_id uuid, model text, due public.similarity_lists[])
  returns setof public.similarity_cache
language plpgsql
set search_path = ''
as $$
declare
  v_schema constant text := embedding.pgvector_schema();
  v_vector text := 'e.vector';
  -- What embedding.similarity does, without the cost of a call for every pair.
  v_similarity text := '(select sum(p.x::double precision * p.y) from unnest(a.vector, b.vector) as p(x, y))';
begin
  if v_schema is not null then
    v_vector := format('e.vector::%I.vector as vector', v_schema);
    v_similarity := format('-(a.vector operator(%I.<#>) b.vector)', v_schema);
  end if;
  return query execute format(
    'with of_repository as materialized (
       select e.item_type, e.item_id, e.dimensions, e.embedded_at, %s
       from public.embeddings e where e.repository_id = $1 and e.model = $2 and e.vector is not null
     )
     select a.item_type, a.item_id, $2, b.item_type, b.item_id, $1, least(1, greatest(-1, %s)), b.embedded_at
     from unnest($3) as d
     join of_repository a on a.item_type = d.item_type and a.item_id = d.item_id
     join of_repository b on b.dimensions = a.dimensions and (b.item_type, b.item_id) <> (a.item_type, a.item_id)',
    v_vector, v_similarity) using repository_id, model, due;
end
$$;
comment on function embedding.compare(uuid, text, public.similarity_lists[]) is
  'The similarity of each of these items with every other of the repository; pgvector''s is in single precision.';

create function embedding.trim_lists(
  due public.similarity_lists[], entries public.similarity_cache[], max_per_item integer) returns void
language plpgsql
set search_path = ''
as $$
begin
  delete from public.similarity_cache c
  using (
    select r.*, row_number() over (
      partition by r.item_type, r.item_id, r.model order by r.similarity desc, r.similar_type, r.similar_id) as place
    from (select distinct f.item_type, f.item_id, f.model from unnest(entries) as f) as touched
    join public.similarity_cache r using (item_type, item_id, model)
  ) as ranked
  where ranked.place > trim_lists.max_per_item
    and (c.item_type, c.item_id, c.model, c.similar_type, c.similar_id)
      = (ranked.item_type, ranked.item_id, ranked.model, ranked.similar_type, ranked.similar_id);
  insert into public.similarity_lists as known (item_type, item_id, model, embedded_at, max_per_item, listed)
  select e.item_type, e.item_id, e.model, e.embedded_at, trim_lists.max_per_item, (
    select count(*) from public.similarity_cache c
    where c.item_type = e.item_type and c.item_id = e.item_id and c.model = e.model)
  from (
    select f.item_type, f.item_id, f.model from unnest(entries) as f
    union select d.item_type, d.item_id, d.model from unnest(due) as d
  ) as touched
  join public.embeddings e using (item_type, item_id, model)
  on conflict on constraint similarity_lists_pkey do update
    set embedded_at = excluded.embedded_at, max_per_item = excluded.max_per_item, listed = excluded.listed;
end
$$;
comment on function embedding.trim_lists(public.similarity_lists[], public.similarity_cache[], integer) is
  'Returns nothing; cuts the lists that got entries to their length, and notes from which embeddings they and the due ones are.';

revoke all on all functions in schema embedding from public, anon, authenticated;
revoke all on function public.recalculate_similarities(uuid, integer, text) from public, anon, authenticated;
grant execute on function public.recalculate_similarities(uuid, integer, text) to service_role;
