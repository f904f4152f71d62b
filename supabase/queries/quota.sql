-- How much is left of the shared quotas, and how many waiting jobs need each?
-- When to worry: held_until lies ahead while jobs wait, day after day: spread the schedules, or use more tokens.
select q.quota, q.token, q.remaining, q.allowance, round(100.0 * q.remaining / nullif(q.allowance, 0), 1) as percent_left,
  greatest(case when q.remaining = 0 and q.resets_at > now() then q.resets_at end,
    case when q.blocked_until > now() then q.blocked_until end) as held_until,
  q.resets_at, q.reported_at, coalesce(w.jobs, 0) as waiting_jobs
from job_quotas q
left join (
  select x.quota, sum(d.queued) as jobs
  from queue_depth d join job_types t on t.type = d.type cross join lateral unnest(t.quotas) as x (quota)
  group by x.quota) w on w.quota = q.quota
order by percent_left nulls last, q.quota, q.token;
