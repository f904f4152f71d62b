-- What runs right now, where, since when?
-- When to worry: lease_until lies in the past (no sweep is running), or a job runs far longer than its type's p95.
select j.type, j.id, l.worker, j.started_at, clock_timestamp() - j.started_at as running_for, t.p95_duration_ms,
  j.progress, j.progress_message, j.lease_until
from background_job_leases l
cross join lateral unnest(l.job_ids) as m(id)
join background_jobs j on j.id = m.id and j.lease_token = l.token and j.status = 'processing'
left join job_types t on t.type = j.type
order by j.started_at;
