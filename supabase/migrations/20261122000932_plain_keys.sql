-- Jobs of a concurrency key are as common as those without, and were looked at key by key: half of what their enqueue cost.

create function job_queue.is_plain_keyed_job(p_job jsonb) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  return coalesce(
    jsonb_typeof(p_job -> 'concurrency_key') = 'string' and octet_length(p_job ->> 'concurrency_key') between 1 and 1000
    and coalesce(jsonb_typeof(p_job -> 'concurrency_limit'), 'number') = 'number'
    and coalesce(p_job ->> 'concurrency_limit', '1') ~ '^[1-9][0-9]{0,2}$'
    and job_queue.is_plain_job(p_job - '{concurrency_key,concurrency_limit}'::text[]), false);
end
$$;
comment on function job_queue.is_plain_keyed_job(jsonb) is
  'is_plain_job for a job with a concurrency key: true when it is valid, false when require_valid_jobs has to look.';

create or replace function job_queue.require_jobs(p_jobs jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_jobs) is distinct from 'array' or jsonb_array_length(p_jobs) > 10000
     or exists (
       select from jsonb_array_elements(p_jobs) as e(job)
       where not case when e.job ? 'concurrency_key' then job_queue.is_plain_keyed_job(e.job)
                      else job_queue.is_plain_job(e.job) end) then
    perform job_queue.require_valid_jobs(p_jobs);
  end if;
end
$$;

revoke all on function job_queue.is_plain_keyed_job(jsonb) from public, anon, authenticated, service_role;
