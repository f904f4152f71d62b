-- What has become of the events of the last hour: which jobs did each make, and how did they end?
-- When to worry: jobs_made is over 1 for one type (two endpoints have different keys), or still_open is old.
-- For one event: select * from background_jobs where inngest_event_id = '…' and created_at > now() - interval '1 day'
select j.inngest_event_id, min(j.created_at) as received_at, array_agg(distinct j.type) as types, count(*) as jobs_made,
  count(*) filter (where j.status = 'completed') as completed, count(*) filter (where j.status = 'failed') as failed,
  count(*) filter (where j.status in ('queued', 'processing')) as still_open,
  max(coalesce(j.completed_at, j.failed_at, j.cancel_requested_at)) - min(j.created_at) as took,
  array_agg(distinct j.inngest_run_id) filter (where j.inngest_run_id is not null) as runs
from background_jobs j
where j.id >= job_queue.first_uuid_at(now() - interval '1 hour') and j.inngest_event_id is not null
group by j.inngest_event_id
order by received_at desc
limit 200;
