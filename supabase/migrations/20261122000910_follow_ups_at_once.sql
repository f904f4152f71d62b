-- Whether the follow-ups of a job name each other was asked once for each of them, over all of them: 12,000 took 25 s.
create or replace function job_queue.enqueue_follow_ups(p_results jsonb, p_accepted bigint[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_index bigint;
  v_jobs jsonb;
begin
  if not p_results @? '$[*].enqueue' then return; end if;
  select e.n - 1 into v_index from jsonb_array_elements(p_results) with ordinality as e(r, n)
  where jsonb_typeof(e.r -> 'enqueue') not in ('array', 'null') order by e.n limit 1;
  if found then
    raise exception using errcode = 'PT400', message = format('results[%s].enqueue: expected an array of jobs', v_index);
  end if;
  -- In portions that enqueue takes: a batch of completions may bring more jobs than one call does.
  for v_jobs in
    with ended as materialized (
      -- Those of a job that name each other by position keep to themselves.
      select e.n, e.r -> 'enqueue' as jobs, case when e.r -> 'enqueue' @? '$[*].depends_on[*]' then e.n end as own
      from jsonb_array_elements(p_results) with ordinality as e(r, n)
      where e.n = any (p_accepted) and jsonb_typeof(e.r -> 'enqueue') = 'array')
    select jsonb_agg(f.job order by f.n)
    from (select j.job, ended.own, row_number() over (order by ended.n, j.n) as n
          from ended cross join lateral jsonb_array_elements(ended.jobs) with ordinality as j(job, n)) f
    group by f.own, case when f.own is null then (f.n - 1) / 10000 end order by min(f.n)
  loop
    perform public.enqueue_background_jobs(v_jobs);
  end loop;
end
$$;
