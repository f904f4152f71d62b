-- What has to be embedded: read from embedding_due, which is as long as what is due, however many items there are.

create type public.due_embedding as (
  item_type text,
  item_id uuid,
  repository_id uuid,
  content text,
  content_hash text
);
comment on type public.due_embedding is 'An item to embed: its text, and the hash to give back to store_embeddings.';

create function public.list_due_embeddings(
  items jsonb, repository_id uuid, model text, max_items integer, max_bytes integer) returns setof public.due_embedding
language plpgsql security definer
set search_path = ''
as $$
begin
  perform embedding.require_model(model);
  perform embedding.require_between('max_items', max_items, 1, 10000);
  perform embedding.require_between('max_bytes', max_bytes, 1, 100000000);
  if items is not null then
    perform embedding.require_items(items);
    return query select * from embedding.first_bytes(
      array(select due from embedding.due_among(items, repository_id, model, max_items) as due), max_bytes);
    return;
  end if;
  perform embedding.look_after(repository_id, model, max_items);
  -- An item can be due with the content that is embedded already: changed and changed back. Nobody need see those.
  while embedding.settle_first(repository_id, model, max_items) > 0 loop null; end loop;
  return query select * from embedding.first_bytes(
    array(select due from embedding.due_first(repository_id, model, max_items) as due), max_bytes);
end
$$;
comment on function public.list_due_embeddings(jsonb, uuid, text, integer, integer) is
  'Items whose content is not the one that the model has embedded or refused, the longest changed first: among items [{type, id}], of a repository, or (both null) of all. At most max_items, and no more than max_bytes of content unless the first alone is longer. Ask again after storing them; none: nothing is due. Refuses (PT400) items that are no such array, an empty model, and limits below 1.';

create function embedding.require_items(items jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
declare
  v_item jsonb;
begin
  if jsonb_typeof(items) <> 'array' then
    raise exception using errcode = 'PT400', message = format(
      'items: expected an array of {type, id}, got %s', jsonb_typeof(items));
  end if;
  for v_item in select value from jsonb_array_elements(items) loop
    perform embedding.require_item_type('items[].type', v_item ->> 'type');
    if coalesce(v_item ->> 'id', '') !~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then
      raise exception using errcode = 'PT400', message = format(
        'items[].id: expected a uuid, got %s', coalesce(quote_literal(v_item ->> 'id'), 'nothing'));
    end if;
  end loop;
end
$$;
comment on function embedding.require_items(jsonb) is 'Returns nothing; refuses (PT400) what is no array of {type, id}.';

create function embedding.due_among(items jsonb, repository_id uuid, model text, max_items integer)
  returns setof public.due_embedding
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select i.item_type, i.item_id, i.repository_id, embedding.content(i.title, i.body), h.content_hash
  from (select distinct wanted.type, wanted.id from jsonb_to_recordset(items) as wanted(type text, id uuid)) as w
  join embedding.items i on i.item_type = w.type and i.item_id = w.id
  cross join lateral (select embedding.content_hash(i.title, i.body) as content_hash offset 0) as h
  left join public.embeddings e on e.item_type = w.type and e.item_id = w.id and e.model = due_among.model
  where e.content_hash is distinct from h.content_hash
    and (due_among.repository_id is null or i.repository_id = due_among.repository_id)
  order by i.updated_at, i.item_type, i.item_id
  limit max_items;
end
$$;
comment on function embedding.due_among(jsonb, uuid, text, integer) is 'Those of the named items that are due. Never refuses.';

create function embedding.due_first(repository_id uuid, model text, max_items integer)
  returns setof public.due_embedding
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select i.item_type, i.item_id, i.repository_id, embedding.content(i.title, i.body),
         embedding.content_hash(i.title, i.body)
  from embedding.first_due(repository_id, model, max_items) as due
  join embedding.items i on i.item_type = due.item_type and i.item_id = due.item_id
  order by due.changed_at, due.item_type, due.item_id;
end
$$;
comment on function embedding.due_first(uuid, text, integer) is 'The longest due items with their contents. Never refuses.';

create function embedding.first_due(repository_id uuid, model text, max_items integer)
  returns setof public.embedding_due
language plpgsql stable
set search_path = ''
as $$
begin
  if repository_id is null then
    return query select d.* from public.embedding_due d where d.model = first_due.model
      order by d.changed_at, d.item_type, d.item_id limit max_items;
  else
    return query select d.* from public.embedding_due d
      where d.repository_id = first_due.repository_id and d.model = first_due.model
      order by d.changed_at, d.item_type, d.item_id limit max_items;
  end if;
end
$$;
comment on function embedding.first_due(uuid, text, integer) is
  'The first rows of embedding_due, of one repository or of all; each branch has an index that gives them in order.';

create function embedding.first_bytes(due public.due_embedding[], max_bytes integer) returns setof public.due_embedding
language plpgsql immutable
set search_path = ''
as $$
declare
  v_due public.due_embedding;
  v_bytes bigint := 0;
begin
  foreach v_due in array due loop
    v_bytes := v_bytes + octet_length(v_due.content);
    exit when v_bytes > max_bytes and v_bytes > octet_length(v_due.content);
    return next v_due;
  end loop;
end
$$;
comment on function embedding.first_bytes(public.due_embedding[], integer) is
  'The first of these items, as many as max_bytes of content hold, and at least one. Never refuses.';

create function embedding.settle_first(repository_id uuid, model text, max_items integer) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_items jsonb;
begin
  select jsonb_agg(jsonb_build_object('item_type', due.item_type, 'item_id', due.item_id, 'model', due.model))
  into v_items from embedding.first_due(repository_id, model, max_items) as due;
  return embedding.settle(coalesce(v_items, '[]'));
end
$$;
comment on function embedding.settle_first(uuid, text, integer) is
  'What embedding.settle answers for the first rows of embedding_due. Never refuses.';

create function embedding.settle(items jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  v_settled bigint;
begin
  delete from public.embedding_due due
  using (
    select d.item_type, d.item_id, d.model, d.changed_at
    from jsonb_to_recordset(items) as s(item_type text, item_id uuid, model text)
    join public.embedding_due d using (item_type, item_id, model)
    left join embedding.items i using (item_type, item_id)
    left join public.embeddings e using (item_type, item_id, model)
    where i.item_id is null or e.content_hash = embedding.content_hash(i.title, i.body)
  ) as known
  where due.item_type = known.item_type and due.item_id = known.item_id and due.model = known.model
    -- The content may have changed once more while this statement waited for the row.
    and due.changed_at = known.changed_at;
  get diagnostics v_settled = row_count;
  return v_settled;
end
$$;
comment on function embedding.settle(jsonb) is
  'Takes those of [{item_type, item_id, model}] from embedding_due whose content is the embedded one, or that are gone; returns how many. Never refuses.';

create function embedding.look_after(repository_id uuid, model text, max_items integer) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_repository uuid;
begin
  loop
    exit when (select count(*) from embedding.first_due(look_after.repository_id, look_after.model, max_items)) = max_items;
    select r.id into v_repository from public.repositories r
    where (look_after.repository_id is null or r.id = look_after.repository_id)
      and not exists (
        select from public.embedded_repositories e where e.repository_id = r.id and e.model = look_after.model)
    order by r.id limit 1;
    exit when v_repository is null;
    perform embedding.look_after_repository(v_repository, look_after.model);
  end loop;
end
$$;
comment on function embedding.look_after(uuid, text, integer) is
  'Returns nothing; begins to look after repositories that the model has not met, until max_items are due or all are met.';

create function embedding.look_after_repository(repository_id uuid, model text) returns void
language plpgsql
set search_path = ''
as $$
begin
  -- Captures that are adding items to it now have a key share lock on its row, by the foreign key: wait for them, and have
  -- those that come later wait. Either this function sees their items, or their trigger sees this row.
  perform from public.repositories r where r.id = look_after_repository.repository_id for update;
  insert into public.embedded_repositories as known (repository_id, model)
  select look_after_repository.repository_id, look_after_repository.model
  on conflict on constraint embedded_repositories_pkey do nothing;
  insert into public.embedding_due (model, item_type, item_id, repository_id, changed_at)
  select look_after_repository.model, i.item_type, i.item_id, i.repository_id, i.updated_at
  from embedding.items i
  where i.repository_id = look_after_repository.repository_id
    and not exists (
      select from public.embeddings e
      where e.item_type = i.item_type and e.item_id = i.item_id and e.model = look_after_repository.model)
  order by i.item_type, i.item_id
  on conflict on constraint embedding_due_pkey do nothing;
end
$$;
comment on function embedding.look_after_repository(uuid, text) is
  'Returns nothing; makes the items due that the model has not embedded, and from now on those that change.';

revoke all on all functions in schema embedding from public, anon, authenticated;
revoke all on function public.list_due_embeddings(jsonb, uuid, text, integer, integer) from public, anon, authenticated;
grant execute on function public.list_due_embeddings(jsonb, uuid, text, integer, integer) to service_role;
