-- Why are the failed jobs of the last week dead, by type and reason?
-- When to worry: crashed (a process dies of them) or expired (nobody worked) has rows; or non_retryable grows after a deploy.
select j.type, j.failure_reason, count(*) as jobs, min(j.failed_at) as first_failed_at, max(j.failed_at) as last_failed_at,
  round(avg(j.retry_count), 1) as avg_retries, left((array_agg(j.error order by j.failed_at desc))[1], 120) as newest_error
from background_jobs j
where j.id >= job_queue.first_uuid_at(now() - interval '7 days') and j.status = 'failed'
group by j.type, j.failure_reason
order by jobs desc, j.type, j.failure_reason;
