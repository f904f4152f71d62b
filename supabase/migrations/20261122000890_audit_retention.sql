-- The audit trail of operators keeps 400 days. It grows only by what operators do, so that each of their actions can make room:
-- nothing has to be scheduled, and nothing is left over where no worker runs.

create or replace function job_queue.note_action(p_claims jsonb, p_action text, p_arguments jsonb, p_result jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.operator_actions (actor, email, action, arguments, result)
  values (coalesce(p_claims ->> 'sub', 'unknown'), p_claims ->> 'email', p_action, p_arguments, p_result);
  delete from public.operator_actions a where a.id = any (array(
    select o.id from public.operator_actions o
    -- Ids are ordered by time: the scan begins at the oldest row. More than one row per action, so that a backlog gets shorter.
    where o.id < job_queue.first_uuid_at(clock_timestamp() - interval '400 days')
    order by o.id limit 10 for update skip locked));
end
$$;
comment on function job_queue.note_action(jsonb, text, jsonb, jsonb) is
  'Writes what an operator did, whose claims are given, into operator_actions, and deletes up to 10 rows older than 400 days. Never refuses.';
comment on table public.operator_actions is
  'What operators did in the last 400 days: one row per action, written with what it changed. Only the operator_* functions write it.';
