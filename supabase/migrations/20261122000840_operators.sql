-- Operators: signed-in people who look at jobs and act on them from a browser. The functions operator_* are all that they
-- may call; each asks for the role in the access token, and each action leaves a row here, in its own transaction.

create table public.operator_actions (
  id uuid not null default public.uuid_v7(),
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  email text,
  action text not null,
  arguments jsonb not null,
  result jsonb,
  constraint operator_actions_pkey primary key (id)
);
comment on table public.operator_actions is
  'What operators did: one row per action, written with what it changed. Only the operator_* functions write it.';
comment on column public.operator_actions.actor is 'The sub of the access token: the id of the user.';
comment on column public.operator_actions.arguments is 'As they were given; payloads are left out, the job has them.';

alter table public.operator_actions enable row level security;
revoke all on public.operator_actions from public, anon, authenticated, service_role;
grant select on public.operator_actions to service_role;

create function job_queue.require_operator() returns jsonb
language plpgsql stable
set search_path = ''
as $$
declare
  v_claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  -- app_metadata: users cannot write it, unlike user_metadata.
  if v_claims #>> '{app_metadata,role}' is distinct from 'job_operator' then
    raise exception using errcode = 'PT403',
      message = format('%s may not operate jobs: the access token lacks app_metadata.role "job_operator"',
        coalesce(v_claims ->> 'email', v_claims ->> 'sub', 'this caller')),
      hint = 'An administrator sets "role": "job_operator" in the app metadata of the user (Supabase Auth); then sign in again.';
  end if;
  return v_claims;
end
$$;
comment on function job_queue.require_operator() is
  'The claims of the operator who calls. Refuses (PT403) a caller whose access token lacks app_metadata.role job_operator.';

create function job_queue.note_action(p_claims jsonb, p_action text, p_arguments jsonb, p_result jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into public.operator_actions (actor, email, action, arguments, result)
  values (coalesce(p_claims ->> 'sub', 'unknown'), p_claims ->> 'email', p_action, p_arguments, p_result);
end
$$;
comment on function job_queue.note_action(jsonb, text, jsonb, jsonb) is
  'Writes what an operator did, whose claims are given, into operator_actions. Never refuses.';

create function job_queue.require_page(p_page_size integer) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_page_size is null or p_page_size not between 1 and 500 then
    raise exception using errcode = 'PT400',
      message = format('page_size: expected 1 to 500, got %s', coalesce(p_page_size::text, 'nothing'));
  end if;
end
$$;
comment on function job_queue.require_page(integer) is 'Returns nothing; refuses (PT400) a page size outside 1 to 500.';

create function public.operator_audit(page_size integer default 50, before uuid default null)
returns table (
  id uuid, at timestamptz, actor text, email text, action text, arguments jsonb, result jsonb)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform job_queue.require_operator();
  perform job_queue.require_page(page_size);
  return query
    select a.id, a.at, a.actor, a.email, a.action, a.arguments, a.result
    from public.operator_actions a
    where operator_audit.before is null or a.id < operator_audit.before
    order by a.id desc limit page_size;
end
$$;
comment on function public.operator_audit(integer, uuid) is
  'What operators did, newest first; the next page comes after the last id of this one. Refuses who is no operator (PT403) and a page_size outside 1 to 500 (PT400).';

revoke all on function public.operator_audit(integer, uuid) from public, anon, authenticated, service_role;
grant execute on function public.operator_audit(integer, uuid) to authenticated;
revoke all on function job_queue.require_operator(), job_queue.note_action(jsonb, text, jsonb, jsonb),
  job_queue.require_page(integer) from public, anon, authenticated, service_role;
