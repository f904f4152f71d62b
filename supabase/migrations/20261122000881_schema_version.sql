-- Which migrations a database has, for code that was made with newer ones and has to say so.

create function public.get_schema_version(up_to text) returns text
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_version text;
begin
  if up_to is null or up_to !~ '^[0-9]{1,20}$' then
    raise exception using errcode = 'PT400', message = format(
      'up_to: expected a version such as 20261122000881, got %s', coalesce(quote_literal(left(up_to, 100)), 'nothing'));
  end if;
  if to_regclass('supabase_migrations.schema_migrations') is null then return null; end if;
  -- By name at run time only: whoever migrates by other means has no such table.
  execute 'select max(m.version collate "C") from supabase_migrations.schema_migrations m
           where m.version collate "C" <= $1' into v_version using up_to;
  return v_version;
end
$$;
comment on function public.get_schema_version(text) is
  'The newest migration recorded as applied, of those up to the given version; null where none is recorded. Refuses what is no version (PT400).';
revoke all on function public.get_schema_version(text) from public, anon, authenticated;
grant execute on function public.get_schema_version(text) to service_role;
