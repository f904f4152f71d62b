-- Quotas that jobs share, such as GitHub's requests per hour: what every process learns of them, in one place, so that
-- no job is claimed only to find its quota exhausted.

create table public.job_quotas (
  quota text not null,
  token text not null,
  allowance bigint,
  remaining bigint,
  resets_at timestamptz,
  blocked_until timestamptz,
  reported_at timestamptz not null default clock_timestamp(),
  constraint job_quotas_pkey primary key (quota, token),
  constraint job_quotas_allowance_natural check (allowance >= 0),
  constraint job_quotas_remaining_natural check (remaining >= 0)
) with (fillfactor = 50);
comment on table public.job_quotas is
  'One bucket per quota (github:core, github:graphql) and token: what the last answers said of it. A row may be deleted by hand; a quota without rows holds nobody up.';
comment on column public.job_quotas.token is 'Fingerprint of the token, never the token; "anonymous" without one.';
comment on column public.job_quotas.allowance is 'Units of a whole window; null: not told.';
comment on column public.job_quotas.remaining is 'Units left until resets_at.';
comment on column public.job_quotas.blocked_until is 'Whatever remains, nothing is served before: a secondary limit, or a refusal that named a time.';

alter table public.job_quotas enable row level security;
revoke all on public.job_quotas from public, anon, authenticated, service_role;
grant select, delete on public.job_quotas to service_role;

create function job_queue.quota_report_problem(p_report jsonb) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_key text;
  v_value jsonb;
begin
  if jsonb_typeof(p_report) is distinct from 'object' then return ': expected an object'; end if;
  foreach v_key in array array['quota', 'token'] loop
    if jsonb_typeof(p_report -> v_key) is distinct from 'string' or octet_length(p_report ->> v_key) not between 1 and 200 then
      return format('.%s: expected a string of 1 to 200 bytes', v_key);
    end if;
  end loop;
  for v_key, v_value in select e.key, e.value from jsonb_each(p_report) as e where jsonb_typeof(e.value) <> 'null' loop
    case
      when v_key in ('quota', 'token') then null;
      when v_key in ('allowance', 'remaining') then
        if jsonb_typeof(v_value) <> 'number' or v_value::numeric <> trunc(v_value::numeric)
           or v_value::numeric not between 0 and 1e15 then
          return format('.%s: expected a whole number from 0, got %s', v_key, left(v_value::text, 100));
        end if;
      when v_key in ('resets_at', 'blocked_until') then
        if not job_queue.is_timestamp(v_value) then
          return format('.%s: expected a timestamp, got %s', v_key, left(v_value::text, 100));
        end if;
      else
        return format('.%s: unknown key', left(v_key, 100));
    end case;
  end loop;
  return null;
end
$$;
comment on function job_queue.quota_report_problem(jsonb) is
  'What is wrong with a report, as ".key: expected …"; null when nothing is.';

create function public.report_job_quotas(reports jsonb) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_problem text;
begin
  if jsonb_typeof(reports) is distinct from 'array' or jsonb_array_length(reports) > 1000 then
    raise exception using errcode = 'PT400', message = 'reports: expected an array of at most 1000 reports';
  end if;
  select format('reports[%s]%s', e.n - 1, job_queue.quota_report_problem(e.report)) into v_problem
  from jsonb_array_elements(reports) with ordinality as e(report, n)
  where job_queue.quota_report_problem(e.report) is not null order by e.n limit 1;
  if found then
    raise exception using errcode = 'PT400', message = v_problem;
  end if;
  insert into public.job_quotas as known (quota, token, allowance, remaining, resets_at, blocked_until)
  select i.quota, i.token, (array_agg(i.allowance order by i.resets_at desc nulls last))[1],
         (array_agg(i.remaining order by i.resets_at desc nulls last, i.remaining))[1],
         max(i.resets_at), max(i.blocked_until)
  from jsonb_to_recordset(reports) as i(
    quota text, token text, allowance bigint, remaining bigint, resets_at timestamptz, blocked_until timestamptz)
  group by i.quota, i.token
  -- One order for all callers: two reports wait for each other instead of deadlocking.
  order by i.quota, i.token
  on conflict on constraint job_quotas_pkey do update
    set allowance = coalesce(excluded.allowance, known.allowance),
        -- Reports overtake each other. Within one window the quota only shrinks; a later window begins anew.
        remaining = case
          when excluded.resets_at > coalesce(known.resets_at, '-infinity') + interval '2 seconds' then excluded.remaining
          when excluded.resets_at >= known.resets_at - interval '2 seconds' then least(known.remaining, excluded.remaining)
          else known.remaining end,
        -- greatest ignores nulls.
        resets_at = greatest(known.resets_at, excluded.resets_at),
        blocked_until = greatest(known.blocked_until, excluded.blocked_until),
        reported_at = clock_timestamp();
  -- Tokens that nobody uses any more.
  delete from public.job_quotas q where q.reported_at < clock_timestamp() - interval '7 days';
end
$$;
comment on function public.report_job_quotas(jsonb) is
  'Notes what answers said of quotas: [{quota, token, allowance, remaining, resets_at, blocked_until}], in any order, also repeatedly. Returns nothing. Refuses (PT400) anything else, naming index and key.';

create function job_queue.exhausted_quotas() returns table (quota text, until timestamptz)
language plpgsql stable
set search_path = ''
as $$
begin
  return query
  select held.quota, min(held.until)
  from (
    select q.quota, greatest(q.blocked_until, case when q.remaining = 0 then q.resets_at end) as until
    from public.job_quotas q
    -- Buckets that say nothing of now, such as that of a token that was replaced, do not count.
    where q.reported_at > clock_timestamp() - interval '1 hour' or greatest(q.blocked_until, q.resets_at) > clock_timestamp()
  ) held
  group by held.quota
  having bool_and(coalesce(held.until > clock_timestamp(), false));
end
$$;
comment on function job_queue.exhausted_quotas() is
  'Quotas of which no token has anything left, and when the first of them has again.';

revoke all on function public.report_job_quotas(jsonb) from public, anon, authenticated;
grant execute on function public.report_job_quotas(jsonb) to service_role;
revoke all on function job_queue.quota_report_problem(jsonb), job_queue.exhausted_quotas()
  from public, anon, authenticated, service_role;
