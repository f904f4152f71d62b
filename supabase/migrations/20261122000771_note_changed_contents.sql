-- Triggers on issues, pull_requests and discussions that keep embedding_due. A capture that changes neither title nor
-- body costs nothing: the triggers' own condition leaves it out.

create function embedding.note_new_items() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  insert into public.embedding_due (model, item_type, item_id, repository_id, changed_at)
  select e.model, tg_argv[0], n.id, n.repository_id, clock_timestamp()
  from new_items n
  join public.embedded_repositories e on e.repository_id = n.repository_id
  order by n.id
  on conflict on constraint embedding_due_pkey do update set changed_at = excluded.changed_at;
  return null;
end
$$;
comment on function embedding.note_new_items() is 'Makes inserted items due, for the models that look after their repository.';

create function embedding.note_changed_item() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  if new.repository_id <> old.repository_id then
    perform embedding.move_item(tg_argv[0], new.id, new.repository_id);
  end if;
  insert into public.embedding_due as due (model, item_type, item_id, repository_id, changed_at)
  select m.model, tg_argv[0], new.id, new.repository_id, clock_timestamp()
  from (
    select r.model from public.embedded_repositories r where r.repository_id = new.repository_id
    union
    -- Who asked for single items has no repository looked after; what he has must not grow old unseen.
    select e.model from public.embeddings e where e.item_type = tg_argv[0] and e.item_id = new.id
  ) as m
  order by m.model
  on conflict on constraint embedding_due_pkey
    do update set changed_at = excluded.changed_at, repository_id = excluded.repository_id;
  return null;
end
$$;
comment on function embedding.note_changed_item() is
  'Makes an item due whose title, body or repository changed. What was due before has its time renewed.';

create function embedding.move_item(item_type text, item_id uuid, repository_id uuid) returns void
language plpgsql
set search_path = ''
as $$
begin
  update public.embeddings e set repository_id = move_item.repository_id
  where e.item_type = move_item.item_type and e.item_id = move_item.item_id;
end
$$;
comment on function embedding.move_item(text, uuid, uuid) is 'Returns nothing; an item was transferred, and takes its embeddings with it.';

create function embedding.forget_deleted_items() returns trigger
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from public.embedding_due d using old_items o where d.item_type = tg_argv[0] and d.item_id = o.id;
  delete from public.embeddings e using old_items o where e.item_type = tg_argv[0] and e.item_id = o.id;
  return null;
end
$$;
comment on function embedding.forget_deleted_items() is 'Deletes what is known of deleted items.';

do $$
declare
  source record;
begin
  for source in
    select * from (values ('issues', 'issue'), ('pull_requests', 'pull_request'), ('discussions', 'discussion'))
      as s(table_name, item_type)
  loop
    execute format(
      'create trigger note_new_embedding_items after insert on public.%I
         referencing new table as new_items for each statement
         execute function embedding.note_new_items(%L)', source.table_name, source.item_type);
    execute format(
      'create trigger note_changed_embedding_item after update of title, body, repository_id on public.%I for each row
         when (old.title is distinct from new.title or old.body is distinct from new.body
           or old.repository_id is distinct from new.repository_id)
         execute function embedding.note_changed_item(%L)', source.table_name, source.item_type);
    execute format(
      'create trigger forget_deleted_embedding_items after delete on public.%I
         referencing old table as old_items for each statement
         execute function embedding.forget_deleted_items(%L)', source.table_name, source.item_type);
  end loop;
end
$$;

revoke all on all functions in schema embedding from public, anon, authenticated;
