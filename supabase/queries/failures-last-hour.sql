-- What failed in the last hour, and how often for the same reason?
-- When to worry: one error repeats, or crashed shows up: a process dies of these jobs.
select type, failure_reason, left(error, 120) as error, count(*) as jobs, max(failed_at) as last_failed_at
from background_jobs
-- Ids are ordered by time: a job fails within a day of its creation, or it has waited for something.
where id >= job_queue.first_uuid_at(now() - interval '25 hours') and status = 'failed' and failed_at > now() - interval '1 hour'
group by type, failure_reason, left(error, 120)
order by jobs desc, last_failed_at desc;
