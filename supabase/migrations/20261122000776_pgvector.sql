-- pgvector where the server has it. Never a condition: all functions answer without it, too.

create function embedding.index_name(model text, dimensions integer) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return format('embeddings_hnsw_%s_%s', dimensions, left(md5(model), 16));
end
$$;
comment on function embedding.index_name(text, integer) is 'The name of the HNSW index of a model''s vectors.';

create function embedding.index_model(model text, dimensions integer) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_schema constant text := embedding.pgvector_schema();
  v_name constant text := embedding.index_name(model, dimensions);
begin
  -- pgvector indexes up to 2000 dimensions; above, its operators compare all vectors of the model.
  if v_schema is null or dimensions > 2000 or to_regclass(format('public.%I', v_name)) is not null then
    return false;
  end if;
  -- Two transactions that both wrote and then both wait for the table lock of an index would wait for ever.
  perform pg_advisory_xact_lock(hashtextextended('embedding.index_model', 0));
  execute format(
    'create index if not exists %1$I on public.embeddings using hnsw ((vector::%2$I.vector(%3$s)) %2$I.vector_cosine_ops)
     where model = %4$L and dimensions = %3$s',
    v_name, v_schema, dimensions, model);
  return true;
end
$$;
comment on function embedding.index_model(text, integer) is
  'Creates the HNSW index of a model''s vectors; true when it was missing and pgvector is there. Never refuses.';

create function public.use_pgvector() returns text
language plpgsql
set search_path = ''
as $$
declare
  v_models public.embeddings[];
  v_model public.embeddings;
  v_indexes integer := 0;
begin
  if embedding.pgvector_schema() is null then
    if not exists (select from pg_catalog.pg_available_extensions x where x.name = 'vector') then
      return 'pgvector is not installed on this server: vectors are compared without it';
    end if;
    begin
      execute format('create extension vector with schema %I',
        case when to_regnamespace('extensions') is null then 'public' else 'extensions' end);
    exception when others then
      return format('pgvector may not be created (%s): vectors are compared without it', sqlerrm);
    end;
  end if;
  -- Read to the end before the first index: Postgres refuses one on a table that a query of the session still reads.
  v_models := array(
    select distinct on (e.model, e.dimensions) jsonb_populate_record(
      null::public.embeddings, jsonb_build_object('model', e.model, 'dimensions', e.dimensions))
    from public.embeddings e where e.dimensions is not null);
  foreach v_model in array v_models loop
    if embedding.index_model(v_model.model, v_model.dimensions) then v_indexes := v_indexes + 1; end if;
  end loop;
  return format('pgvector is used; indexes created: %s', v_indexes);
end
$$;
comment on function public.use_pgvector() is
  'Creates pgvector, where the server has it and allows it, and the HNSW indexes of all models that have none; says what came of it. Call it again after the server got pgvector. For the owner only; never refuses.';

revoke all on all functions in schema embedding from public, anon, authenticated;
revoke all on function public.use_pgvector() from public, anon, authenticated, service_role;

select public.use_pgvector();
