-- What happened to the jobs that needed more than one attempt, newest first?
-- When to worry: rescued (a process died) or timed_out (steps too long for the host) repeat for one type.
select j.type, a.job_id, a.number, a.outcome, a.lane, a.worker, a.ended_at - a.started_at as took,
  left(a.error ->> 'message', 200) as error, j.status as job_is_now
from background_job_attempts a
join background_jobs j on j.id = a.job_id
order by a.job_id desc, a.number
limit 200;
