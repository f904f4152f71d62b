-- Which failed jobs of the last week failed of something that passes, and of a type that has completed since?
-- When to worry: many rows. Run those of one type again: select retry_failed_job(id, true) from background_jobs where …
with failed as (
  select j.id, j.type, j.failure_reason, j.error, j.failed_at, j.retry_count
  from background_jobs j
  where j.id >= job_queue.first_uuid_at(now() - interval '7 days') and j.status = 'failed'
    and (j.failure_reason in ('crashed', 'expired')
      or j.error ~* '(answered|status|HTTP) (408|425|429|5\d\d)|timed? ?out|ECONN|socket|unreachable|rate limit')
), completed as materialized (
  select f.type, (
    select max(c.completed_at) from (
      select j.completed_at from background_jobs j
      where j.type = f.type and j.created_at > now() - interval '7 days' and j.status = 'completed'
      order by j.created_at desc limit 20) c) as last_completed_at
  from (select distinct type from failed) f
)
select f.type, f.id, f.failure_reason, left(f.error, 120) as error, f.failed_at, c.last_completed_at
from failed f join completed c on c.type = f.type and c.last_completed_at > f.failed_at
order by f.failed_at desc
limit 200;
