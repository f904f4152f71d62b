-- Which types succeed less, or more, often in these 24 hours than in the 24 before?
-- When to worry: change is under -1, points of a hundred: read failures-last-hour.sql for the type.
select type, now_completed, now_failed, now_rate, before_rate, round(now_rate - before_rate, 1) as change
from (
  select type,
    sum(completed) filter (where is_now) as now_completed, sum(failed) filter (where is_now) as now_failed,
    round(100.0 * sum(completed) filter (where is_now) / nullif(sum(completed + failed) filter (where is_now), 0), 1) as now_rate,
    round(100.0 * sum(completed) filter (where not is_now) / nullif(sum(completed + failed) filter (where not is_now), 0), 1) as before_rate
  from (select h.*, hour > now() - interval '24 hours' as is_now from job_statistics_hourly h) hours
  group by type) days
order by change nulls last, type;
