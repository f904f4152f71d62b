-- How long do jobs take and wait, by type, over the last 7 days?
-- When to worry: success_rate under 99, or p95_wait_ms over 10,000 while a lane's process is running.
select type, completed, failed, queued, processing, success_rate, p50_duration_ms, p95_duration_ms, p50_wait_ms, p95_wait_ms
from job_statistics
order by completed + failed desc, type;
