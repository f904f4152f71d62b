-- Which jobs of the last day, ended or not, have worked longest, and how does that compare with their type?
-- When to worry: times_p95 is over 5, or worked comes near the time-out of one attempt: split the job into shorter steps.
select j.id, j.type, j.status, j.lane, j.repository_id, w.worked, t.p95_duration_ms,
  round(1000 * extract(epoch from w.worked) / nullif(t.p95_duration_ms, 0), 1) as times_p95,
  j.timeout_seconds, j.retry_count, j.progress_message
from background_jobs j
cross join lateral (
  select j.active_ms * interval '1 millisecond'
    + case j.status when 'processing' then clock_timestamp() - j.started_at else interval '0' end as worked) w
left join job_types t on t.type = j.type
where j.id >= job_queue.first_uuid_at(now() - interval '24 hours') and j.status <> 'queued'
order by w.worked desc
limit 50;
