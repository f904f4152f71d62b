-- How many jobs are made and end in each hour (UTC) of the last two days?
-- When to worry: created stays above completed + failed for hours, so that the queue grows; or an hour stands at 0.
select hour, sum(created) as created, sum(completed) as completed, sum(failed) as failed,
  sum(completed + failed) - sum(created) as ended_less_created,
  round(sum(avg_duration_ms * completed) / nullif(sum(completed), 0)) as avg_duration_ms
from job_statistics_hourly
group by hour
order by hour desc;
