-- Hosted Supabase grants everything on new objects to anon and authenticated; take it back before giving what is meant.
-- `service_role` reads and writes (it bypasses row-level security), signed-in users read, `anon` sees nothing.

do $$
declare
  captured text;
begin
  foreach captured in array array['repositories', 'contributors', 'pull_requests', 'issues', 'reviews', 'comments'] loop
    execute format('alter table public.%I enable row level security', captured);
    execute format('revoke all on table public.%I from public, anon, authenticated, service_role', captured);
    execute format('grant select, insert, update, delete on table public.%I to service_role', captured);
    execute format('grant select on table public.%I to authenticated', captured);
    execute format(
      'create policy %I on public.%I for select to authenticated using (true)',
      captured || '_read', captured
    );
  end loop;
end
$$;
