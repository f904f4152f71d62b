-- What failed in the last hour, and how often for the same reason?
-- When to worry: one error repeats, or crashed shows up: a process dies of these jobs.
select type, failure_reason, left(error, 120) as error, count(*) as jobs, max(failed_at) as last_failed_at
from background_jobs
where status = 'failed' and created_at > now() - interval '25 hours' and failed_at > now() - interval '1 hour'
group by type, failure_reason, left(error, 120)
order by jobs desc, last_failed_at desc;
