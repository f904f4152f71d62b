-- An alert for the dead letter: a URL that is told of every job that fails for good, as a job's own callback_url is. Off until
-- somebody sets it. start_callbacks reads it.

insert into public.job_settings (name, value, meaning) values
  ('dead_letter_callback_url', 'null',
   'URL under a registered callback endpoint that is told of every job that fails for good, but for system/ jobs; null: nobody is');

create function job_queue.require_callback_setting() returns trigger
language plpgsql security definer
set search_path = ''
as $$
declare
  v_problem text := job_queue.callback_problem(new.value);
begin
  if v_problem is not null then
    raise exception using errcode = 'PT400', message = format('%s: %s', new.name, v_problem),
      hint = 'null switches it off; select register_callback_endpoint(url) registers an endpoint and returns its secret.';
  end if;
  return new;
end
$$;
comment on function job_queue.require_callback_setting() is
  'Refuses (PT400) a setting whose URL no job may call back: it lies under no registered endpoint, or under a disabled one.';

create trigger job_settings_callback before insert or update on public.job_settings
  for each row when (new.name = 'dead_letter_callback_url' and new.value <> 'null')
  execute function job_queue.require_callback_setting();

revoke all on function job_queue.require_callback_setting() from public, anon, authenticated, service_role;
