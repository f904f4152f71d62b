-- Embeddings come in pages, and every page is one statement.

create function public.store_embeddings(rows jsonb) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_rows public.embeddings[];
  v_stored integer;
begin
  if rows is null or jsonb_typeof(rows) <> 'array' then
    raise exception using errcode = 'PT400', message = 'rows: expected an array of embeddings';
  end if;
  -- Of several rows for one item the last one counts.
  v_rows := array(
    select r from (
      select distinct on (parsed.item_type, parsed.item_id, parsed.model) parsed as r
      from jsonb_array_elements(rows) with ordinality as given(value, ordinal)
      cross join lateral embedding.parse_row(given.value, given.ordinal) as parsed
      order by parsed.item_type, parsed.item_id, parsed.model, given.ordinal desc) as distinct_rows);
  -- Before the first row is written: a transaction that holds the table's row locks must not ask for its lock.
  perform embedding.index_model(m.model, m.dimensions)
  from (select distinct r.model, r.dimensions from unnest(v_rows) as r where r.dimensions is not null) as m;
  insert into public.embeddings as known (
    item_type, item_id, model, repository_id, content_hash, dimensions, vector, tokens, error, embedded_at)
  select r.item_type, r.item_id, r.model, i.repository_id, r.content_hash, r.dimensions, r.vector, r.tokens, r.error,
         clock_timestamp()
  from unnest(v_rows) as r
  -- What was deleted meanwhile is left out; what was transferred is stored where it is now.
  join embedding.items i on i.item_type = r.item_type and i.item_id = r.item_id
  order by r.item_type, r.item_id, r.model
  on conflict on constraint embeddings_pkey do update
    set repository_id = excluded.repository_id, content_hash = excluded.content_hash,
        dimensions = excluded.dimensions, vector = excluded.vector, tokens = excluded.tokens, error = excluded.error,
        embedded_at = excluded.embedded_at;
  get diagnostics v_stored = row_count;
  perform embedding.make_due(rows);
  perform embedding.settle(rows);
  return v_stored;
end
$$;
comment on function public.store_embeddings(jsonb) is
  'Stores [{item_type, item_id, model, content_hash, tokens?, vector | error}] and returns how many were stored: items that are gone are left out, the last of several for one item counts. A vector is an array of numbers or little-endian float32 in base64. Other keys are ignored: the repository is that of the item. An item whose content has changed since content_hash stays due. Refuses (PT400) the whole call when a row is malformed, naming its index and key.';

create function embedding.parse_row(value jsonb, ordinal bigint) returns public.embeddings
language plpgsql immutable
set search_path = ''
as $$
declare
  v_row public.embeddings;
  v_where constant text := format('rows[%s].', ordinal - 1);
begin
  perform embedding.require_item_type(v_where || 'item_type', value ->> 'item_type');
  perform embedding.require_match(v_where || 'item_id', value ->> 'item_id', '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$', 'a uuid');
  perform embedding.require_match(v_where || 'model', value ->> 'model', '^\S{1,200}$', 'a name of 1 to 200 characters without spaces');
  perform embedding.require_match(v_where || 'content_hash', value ->> 'content_hash', '^[0-9a-f]{64}$', 'a SHA-256 in hex');
  perform embedding.require_match(v_where || 'tokens', coalesce(value ->> 'tokens', '0'), '^[0-9]{1,9}$', 'a whole number from 0');
  v_row.item_type := value ->> 'item_type';
  v_row.item_id := value ->> 'item_id';
  v_row.model := value ->> 'model';
  v_row.content_hash := value ->> 'content_hash';
  v_row.tokens := coalesce(value ->> 'tokens', '0');
  v_row.error := value ->> 'error';
  if v_row.error is null then
    v_row.vector := embedding.unit_vector(v_where || 'vector', embedding.parse_vector(v_where || 'vector', value -> 'vector'));
    v_row.dimensions := cardinality(v_row.vector);
  elsif coalesce(value -> 'vector', 'null') <> 'null' then
    raise exception using errcode = 'PT400', message = v_where || 'vector: expected none beside an error';
  end if;
  return v_row;
end
$$;
comment on function embedding.parse_row(jsonb, bigint) is
  'The row of embeddings that this element of store_embeddings means; refuses (PT400) a malformed one.';

create function embedding.require_match(argument text, value text, pattern text, expected text) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if value is null or value !~ pattern then
    raise exception using errcode = 'PT400', message = format(
      '%s: expected %s, got %s', argument, expected, coalesce(quote_literal(left(value, 100)), 'nothing'));
  end if;
end
$$;
comment on function embedding.require_match(text, text, text, text) is
  'Returns nothing; refuses (PT400) a value that does not match, naming the argument.';

create function embedding.parse_vector(argument text, value jsonb) returns real[]
language plpgsql immutable
set search_path = ''
as $$
begin
  return case jsonb_typeof(value)
    when 'string' then embedding.decode_floats(decode(value #>> '{}', 'base64'))
    when 'array' then (select vector from jsonb_to_record(jsonb_build_object('vector', value)) as r(vector real[]))
  end;
exception when invalid_parameter_value or invalid_text_representation or numeric_value_out_of_range
  or array_subscript_error or string_data_length_mismatch then
  raise exception using errcode = 'PT400', message = format(
    '%s: expected an array of numbers or little-endian float32 in base64 (%s)', argument, sqlerrm);
end
$$;
comment on function embedding.parse_vector(text, jsonb) is
  'The numbers of a vector in either form; null when it is neither. Refuses (PT400) what cannot be read.';

create function embedding.decode_floats(bytes bytea) returns real[]
language plpgsql immutable
set search_path = ''
as $$
declare
  -- Not the argument itself: it may be compressed, and every get_byte would unpack it again.
  v_bytes constant bytea := bytes || ''::bytea;
begin
  if octet_length(v_bytes) % 4 <> 0 then
    raise exception using errcode = '22023', message = format('%s bytes are no whole number of float32', octet_length(v_bytes));
  end if;
  -- IEEE 754 binary32: a sign bit, 8 bits of exponent, 23 of fraction.
  return array(
    select case
        when w.bits & 2139095040 = 2139095040 then 'NaN'::real
        else (case when w.bits < 0 then -1 else 1 end
          * (case when w.bits & 2139095040 = 0 then 0 else 8388608 end + (w.bits & 8388607))
          * power(2::double precision, greatest((w.bits >> 23) & 255, 1) - 150))::real
      end
    from (
      select get_byte(v_bytes, n) | (get_byte(v_bytes, n + 1) << 8) | (get_byte(v_bytes, n + 2) << 16)
        | (get_byte(v_bytes, n + 3) << 24) as bits
      -- In the select list, generate_series is not written to a buffer first: a fifth of the time.
      from (select generate_series(0, octet_length(v_bytes) - 4, 4) as n) as first_bytes offset 0
    ) as w);
end
$$;
comment on function embedding.decode_floats(bytea) is
  'The little-endian float32 numbers in these bytes; NaN for what is infinite, too. Refuses (22023) bytes that are no whole number of them.';

create function embedding.unit_vector(argument text, vector real[]) returns real[]
language plpgsql immutable
set search_path = ''
as $$
declare
  v_square double precision := (select sum(e.x::double precision * e.x) from (select unnest(vector) as x) as e);
begin
  if cardinality(vector) not between 1 and 16000 or vector is null or array_position(vector, null) is not null then
    raise exception using errcode = 'PT400', message = format(
      '%s: expected 1 to 16000 numbers, got %s', argument, coalesce(cardinality(vector)::text, 'none'));
  elsif v_square not between 1e-30 and 1e30 then
    raise exception using errcode = 'PT400', message = format(
      '%s: expected finite numbers that are not all zero', argument);
  elsif abs(v_square - 1) < 1e-6 then
    return vector;
  end if;
  return array(select (x / sqrt(v_square))::real from unnest(vector) as x);
end
$$;
comment on function embedding.unit_vector(text, real[]) is
  'The vector divided by its length. Refuses (PT400) one that has no length, naming the argument.';

create function embedding.make_due(items jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.embedding_due (model, item_type, item_id, repository_id, changed_at)
  select e.model, i.item_type, i.item_id, i.repository_id, clock_timestamp()
  from jsonb_to_recordset(items) as s(item_type text, item_id uuid, model text)
  join embedding.items i on i.item_type = s.item_type and i.item_id = s.item_id
  join public.embeddings e on e.item_type = s.item_type and e.item_id = s.item_id and e.model = s.model
  where e.content_hash <> embedding.content_hash(i.title, i.body)
  order by i.item_type, i.item_id, e.model
  on conflict on constraint embedding_due_pkey do nothing;
end
$$;
comment on function embedding.make_due(jsonb) is
  'Returns nothing; makes those of [{item_type, item_id, model}] due whose content is not the embedded one.';

revoke all on all functions in schema embedding from public, anon, authenticated;
revoke all on function public.store_embeddings(jsonb) from public, anon, authenticated;
grant execute on function public.store_embeddings(jsonb) to service_role;
