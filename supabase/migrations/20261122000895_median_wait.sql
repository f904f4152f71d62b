-- The median wait beside the greatest 5 %, for the dashboard's overview: by type it is in the statistics already.

create or replace function job_queue.summary_figures() returns jsonb
language plpgsql stable
set search_path = '' set jit = off
as $$
declare
  -- As get_job_statistics_summary, whose metrics have their names and their number.
  v_since timestamptz := date_bin('1 minute', now() - interval '24 hours', 'epoch');
begin
  return (
    select jsonb_object_agg(n.name, substring(s.value from '^[0-9]+(?:\.[0-9]+)?')::numeric) || jsonb_build_object(
      'p50_wait_ms', (select m.p50_ms from job_queue.measured_since(v_since, true, false) as m where m.wait))
    from public.get_job_statistics_summary() as s
    join (values
      ('Total jobs (24 h)', 'total_24h'), ('Queued', 'queued'), ('Processing', 'processing'),
      ('Completed (24 h)', 'completed_24h'), ('Failed (24 h)', 'failed_24h'), ('Dead letter', 'dead_letter'),
      ('Success rate (24 h)', 'success_rate'), ('Average duration', 'avg_duration_ms'), ('p50 duration', 'p50_duration_ms'),
      ('p95 duration', 'p95_duration_ms'), ('Average wait', 'avg_wait_ms'), ('p95 wait', 'p95_wait_ms'),
      ('Oldest queued', 'oldest_queued_seconds')) as n(metric, name) on n.metric = s.metric);
end
$$;
comment on function job_queue.summary_figures() is
  'The metrics of get_job_statistics_summary as numbers, in seconds, milliseconds and percent, and the median wait; null where it says that there is nothing.';
