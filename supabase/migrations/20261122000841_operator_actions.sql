-- What operators do. Each function is the queue's own one of the same purpose, for operators, with a row in operator_actions.

create function public.operator_retry_job(job_id uuid, force boolean default false) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result boolean := public.retry_failed_job(operator_retry_job.job_id, operator_retry_job.force);
begin
  perform job_queue.note_action(v_claims, 'retry_job',
    jsonb_build_object('job_id', operator_retry_job.job_id, 'force', operator_retry_job.force), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_retry_job(uuid, boolean) is
  'retry_failed_job for operators: true when the failed job is queued again, false when it is not failed, or its retries are spent and force is not true. Refuses who is no operator (PT403).';

create function public.operator_cancel_job(job_id uuid, reason text default null) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result boolean;
begin
  if char_length(operator_cancel_job.reason) > 1000 then
    raise exception using errcode = 'PT400', message = format(
      'reason: expected at most 1000 characters, got %s', char_length(operator_cancel_job.reason));
  end if;
  v_result := public.cancel_background_job(operator_cancel_job.job_id, operator_cancel_job.reason);
  perform job_queue.note_action(v_claims, 'cancel_job',
    jsonb_build_object('job_id', operator_cancel_job.job_id, 'reason', operator_cancel_job.reason), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_cancel_job(uuid, text) is
  'cancel_background_job for operators: true when a queued job is cancelled or a running one is asked to stop, false when it has ended or there is none. Refuses who is no operator (PT403) and a reason of over 1000 characters (PT400).';

create function public.operator_redrive(
  type text default null, since timestamptz default null, max_jobs integer default 100) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result integer := public.redrive_dead_letter_jobs(operator_redrive.type, operator_redrive.since, operator_redrive.max_jobs);
begin
  perform job_queue.note_action(v_claims, 'redrive', jsonb_build_object(
    'type', operator_redrive.type, 'since', operator_redrive.since, 'max_jobs', operator_redrive.max_jobs), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_redrive(text, timestamptz, integer) is
  'redrive_dead_letter_jobs for operators: how many failed jobs are queued again. Refuses who is no operator (PT403) and max_jobs outside 1 to 100000 (PT400).';

create function public.operator_discard(
  type text default null, before timestamptz default null, max_jobs integer default 100) returns integer
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result integer := public.discard_dead_letter_jobs(operator_discard.type, operator_discard.before, operator_discard.max_jobs);
begin
  perform job_queue.note_action(v_claims, 'discard', jsonb_build_object(
    'type', operator_discard.type, 'before', operator_discard.before, 'max_jobs', operator_discard.max_jobs), to_jsonb(v_result));
  return v_result;
end
$$;
comment on function public.operator_discard(text, timestamptz, integer) is
  'discard_dead_letter_jobs for operators: how many failed jobs became cancelled. Refuses who is no operator (PT403) and max_jobs outside 1 to 100000 (PT400).';

create function public.operator_pause_type(type text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
begin
  perform public.pause_job_type(operator_pause_type.type);
  perform job_queue.note_action(v_claims, 'pause_type', jsonb_build_object('type', operator_pause_type.type), null);
end
$$;
comment on function public.operator_pause_type(text) is
  'pause_job_type for operators. Returns nothing. Refuses who is no operator (PT403) and an unknown type (PT404).';

create function public.operator_resume_type(type text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
begin
  perform public.resume_job_type(operator_resume_type.type);
  perform job_queue.note_action(v_claims, 'resume_type', jsonb_build_object('type', operator_resume_type.type), null);
end
$$;
comment on function public.operator_resume_type(text) is
  'resume_job_type for operators. Returns nothing. Refuses who is no operator (PT403) and an unknown type (PT404).';

create function public.operator_set_lane(type text, lane text) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
begin
  perform public.set_job_lane(operator_set_lane.type, operator_set_lane.lane);
  perform job_queue.note_action(v_claims, 'set_lane',
    jsonb_build_object('type', operator_set_lane.type, 'lane', operator_set_lane.lane), null);
end
$$;
comment on function public.operator_set_lane(text, text) is
  'set_job_lane for operators: null goes back to the definition''s lane. Returns nothing. Refuses who is no operator (PT403), an unknown type (PT404) or lane (PT400).';

create function public.operator_enqueue(job jsonb) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_claims jsonb := job_queue.require_operator();
  v_result jsonb;
begin
  if jsonb_typeof(operator_enqueue.job) is distinct from 'object' or jsonb_typeof(operator_enqueue.job -> 'type') is distinct from 'string' then
    raise exception using errcode = 'PT400', message = 'job.type: expected a job type';
  end if;
  perform job_queue.require_job_type(operator_enqueue.job ->> 'type');
  select to_jsonb(e) into v_result from public.enqueue_background_jobs(jsonb_build_array(operator_enqueue.job)) as e;
  perform job_queue.note_action(v_claims, 'enqueue', operator_enqueue.job - 'payload', v_result);
  return v_result;
end
$$;
comment on function public.operator_enqueue(jsonb) is
  'enqueue_background_jobs for operators, one job of a known type: {id, status, created}. Refuses who is no operator (PT403), an unknown type (PT404), and what enqueue_background_jobs refuses (PT400, PT413).';

revoke all on function public.operator_retry_job(uuid, boolean), public.operator_cancel_job(uuid, text),
  public.operator_redrive(text, timestamptz, integer), public.operator_discard(text, timestamptz, integer),
  public.operator_pause_type(text), public.operator_resume_type(text), public.operator_set_lane(text, text),
  public.operator_enqueue(jsonb) from public, anon, authenticated, service_role;
grant execute on function public.operator_retry_job(uuid, boolean), public.operator_cancel_job(uuid, text),
  public.operator_redrive(text, timestamptz, integer), public.operator_discard(text, timestamptz, integer),
  public.operator_pause_type(text), public.operator_resume_type(text), public.operator_set_lane(text, text),
  public.operator_enqueue(jsonb) to authenticated;
