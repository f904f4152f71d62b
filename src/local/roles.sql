-- The roles and default privileges that a hosted Supabase brings with it, for a bare Postgres.
-- Applied by `migrate` only where they are missing; never part of supabase/migrations.

create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;

grant usage on schema public to anon, authenticated, service_role;

-- Hosted Supabase grants every new object of schema public to all three roles: whoever forgets to revoke must see it here too.
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
