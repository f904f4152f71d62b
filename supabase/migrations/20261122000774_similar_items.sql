-- Cosine similarity of embeddings. Vectors have length 1, so it is their dot product.
--
-- Two ways lead to the same answers: with pgvector its operators choose the candidates, without it the exact sum over
-- the arrays does. What is answered is computed exactly in both.

create type public.similar_item as (
  item_type text,
  item_id uuid,
  repository_id uuid,
  title text,
  similarity double precision
);
comment on type public.similar_item is 'An item that is like another; similarity is the cosine, 1 for the same direction.';

create function embedding.similarity(a real[], b real[]) returns double precision
language plpgsql immutable parallel safe
set search_path = ''
as $$
begin
  -- Stored numbers are rounded, so that the sum of two equal vectors may be a little more than 1.
  return (select least(1, greatest(-1, sum(x::double precision * y))) from unnest(a, b) as pair(x, y));
end
$$;
comment on function embedding.similarity(real[], real[]) is
  'Cosine similarity, from -1 to 1, of two vectors of length 1 and equal dimensions, summed in double precision.';

create function embedding.pgvector_schema() returns text
language plpgsql stable
set search_path = ''
as $$
begin
  return (select n.nspname from pg_catalog.pg_extension x join pg_catalog.pg_namespace n on n.oid = x.extnamespace
          where x.extname = 'vector');
end
$$;
comment on function embedding.pgvector_schema() is 'The schema of extension vector (pgvector); null where it is not created.';

create function embedding.candidates(model text, vector real[], repository_id uuid, max_items integer)
  returns setof public.embeddings
language plpgsql
set search_path = ''
as $$
begin
  if embedding.pgvector_schema() is not null then
    return query select * from embedding.pgvector_candidates(model, vector, repository_id, max_items);
  else
    return query
    select e.* from public.embeddings e
    where e.model = candidates.model and e.dimensions = cardinality(candidates.vector)
      and (candidates.repository_id is null or e.repository_id = candidates.repository_id)
    order by embedding.similarity(e.vector, candidates.vector) desc, e.item_type, e.item_id
    limit max_items;
  end if;
end
$$;
comment on function embedding.candidates(text, real[], uuid, integer) is
  'The embeddings most similar to a vector, of one repository or of all. Exact, but with pgvector over all repositories approximate.';

create function embedding.pgvector_candidates(model text, vector real[], repository_id uuid, max_items integer)
  returns setof public.embeddings
language plpgsql
set search_path = ''
as $$
declare
  v_schema constant text := embedding.pgvector_schema();
  v_type constant text := format('%I.vector(%s)', v_schema, cardinality(vector));
  -- The model and the dimensions are literals, so that the planner finds the partial index of this model.
  v_of_model constant text := format('e.model = %L and e.dimensions = %s', model, cardinality(vector));
  -- More than are asked for, since pgvector computes in single precision and the answer is ordered exactly.
  v_more constant integer := max_items * 2 + 20;
begin
  if repository_id is not null then
    -- All of the repository are compared: an index over all repositories would find too few of this one.
    return query execute format(
      'with of_repository as materialized (
         select e from public.embeddings e where %s and e.repository_id = $3)
       select (e).* from of_repository order by (e).vector::%s operator(%I.<=>) $1::%2$s limit $2',
      v_of_model, v_type, v_schema) using vector, v_more, repository_id;
  else
    perform set_config('hnsw.ef_search', greatest(200, least(v_more, 1000))::text, true);
    return query execute format(
      'select e.* from public.embeddings e where %s order by (e.vector::%s) operator(%I.<=>) $1::%2$s limit $2',
      v_of_model, v_type, v_schema) using vector, v_more;
  end if;
end
$$;
comment on function embedding.pgvector_candidates(text, real[], uuid, integer) is
  'embedding.candidates by pgvector''s operators, with some to spare. Of one repository: exact. Of all: by the HNSW index where the model has one.';

create function public.match_similar_items(
  item_type text, item_id uuid, max_items integer default 10, min_similarity_percent integer default 70,
  model text default null, same_repository boolean default true) returns setof public.similar_item
language plpgsql security definer
set search_path = ''
as $$
declare
  v_item public.embeddings;
begin
  perform embedding.require_item_type('item_type', item_type);
  perform embedding.require_between('max_items', max_items, 1, 400);
  perform embedding.require_between('min_similarity_percent', min_similarity_percent, -100, 100);
  select e.* into v_item from public.embeddings e
  where e.item_type = match_similar_items.item_type and e.item_id = match_similar_items.item_id
    and e.vector is not null and (match_similar_items.model is null or e.model = match_similar_items.model)
  order by e.embedded_at desc limit 1;
  if not found then return; end if;
  return query
  select c.item_type, c.item_id, c.repository_id, i.title, s.similarity
  from embedding.candidates(
    v_item.model, v_item.vector, case when same_repository then v_item.repository_id end, max_items + 1) as c
  cross join lateral (select embedding.similarity(c.vector, v_item.vector) as similarity offset 0) as s
  join embedding.items i on i.item_type = c.item_type and i.item_id = c.item_id
  where (c.item_type, c.item_id) <> (v_item.item_type, v_item.item_id)
    and s.similarity * 100 >= min_similarity_percent
  order by s.similarity desc, c.item_type, c.item_id
  limit max_items;
end
$$;
comment on function public.match_similar_items(text, uuid, integer, integer, text, boolean) is
  'The items most similar to this one, best first, itself not among them: by the model, or the one that embedded it last; of its repository, or of all. Nothing when it has no vector. Refuses (PT400) an unknown item_type, max_items outside 1 to 400 and a percentage outside -100 to 100.';

revoke all on all functions in schema embedding from public, anon, authenticated;
revoke all on function public.match_similar_items(text, uuid, integer, integer, text, boolean)
  from public, anon, authenticated;
grant execute on function public.match_similar_items(text, uuid, integer, integer, text, boolean) to service_role;
