-- A job that is handed over travels in the notification: the worker begins it at once, and fetches it meanwhile.

alter table public.background_job_offers add column renewed_at timestamptz not null default clock_timestamp();
comment on column public.background_job_offers.renewed_at is
  'Of a worker that a job keeps busy the offer grows old, and nothing is handed to it.';
comment on column public.background_job_offers.offer is
  'Also the channel on which its worker listens. Whoever knows it hears what is handed over, so nothing else tells it.';

create or replace function public.offer_worker(offer uuid, lane text, worker text, lease_seconds integer) returns json
language plpgsql security definer
set search_path = '' set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_offer public.background_job_offers;
begin
  perform job_queue.require_claim_arguments(worker, 1, lease_seconds);
  if offer is null then
    raise exception using errcode = 'PT400', message = 'offer: expected a uuid, got nothing';
  elsif lane is null or lane not in ('edge', 'worker') then
    raise exception using errcode = 'PT400', message = format('lane: expected edge or worker, got %L', lane);
  end if;
  select * into v_offer from public.background_job_offers o where o.offer = offer_worker.offer for update;
  if not found then
    insert into public.background_job_offers (offer, lane, worker, lease_seconds)
    values (offer_worker.offer, offer_worker.lane, offer_worker.worker, offer_worker.lease_seconds)
    on conflict on constraint background_job_offers_pkey do nothing;
  elsif v_offer.job_id is not null then
    update public.background_job_offers o
    set renewed_at = clock_timestamp(), lease_token = gen_random_uuid(), job_id = null, handed_at = null
    where o.offer = offer_worker.offer;
    return job_queue.handed_job(v_offer);
  else
    update public.background_job_offers o set renewed_at = clock_timestamp() where o.offer = offer_worker.offer;
  end if;
  return null;
end
$$;
comment on function public.offer_worker(uuid, text, text, integer) is
  'Offers the worker to enqueues, for one job of the lane (edge, worker), for 2.5 s and as long as a session holds the advisory lock of the offer and listens on the channel of its name: the one that listens for the worker. Returns the job that was handed over under this offer before, as a claim by the worker would, though it has also come with the notification unless it was too large; null when there is none. Refuses other lanes and what a claim refuses (PT400).';

drop function job_queue.take_back_handed_jobs(timestamptz);
create function job_queue.forget_offers(p_now timestamptz) returns void
language sql
set search_path = ''
as $$
  delete from public.background_job_offers d
  where d.offer in (
    select o.offer from public.background_job_offers o
    where (o.job_id is null or o.handed_at < p_now - make_interval(secs => o.lease_seconds + 2))
      and pg_try_advisory_xact_lock_shared(hashtextextended('background_job_offers:' || o.offer, 0))
    for update skip locked)
$$;
comment on function job_queue.forget_offers(timestamptz) is
  'Removes the offers of workers that no longer listen, once the lease of what was handed over is over: until then the worker may fetch it over another connection.';

create or replace function public.sweep_background_jobs() returns table (lane text, claimable bigint, rescued bigint, expired bigint)
language plpgsql security definer
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_rescued jsonb;
  v_expired jsonb;
  v_held text[] := job_queue.held_types();
begin
  perform job_queue.forget_offers(v_now);
  select coalesce(jsonb_object_agg(s.lane, s.jobs), '{}') into v_rescued
  from (select r.lane, sum(r.jobs) as jobs from job_queue.rescue_expired_leases(v_now) as r group by r.lane) s;
  select coalesce(jsonb_object_agg(e.lane, e.jobs), '{}') into v_expired from job_queue.expire_waiting_jobs(v_now) as e;
  perform job_queue.promote_inline_jobs(v_now);
  perform job_queue.reconcile_ready();
  perform job_queue.reconcile_parents();
  perform job_queue.refresh_parked();
  perform job_queue.forget_workers(v_now);
  perform job_queue.measure_durations(v_now);
  return query
    select l.lane,
           (select count(*) from public.background_job_ready r
            where r.lane = l.lane and r.run_at <= clock_timestamp() and r.expires_at > clock_timestamp()
              and r.line_at is null and not r.type = any (v_held)),
           coalesce((v_rescued ->> l.lane)::bigint, 0), coalesce((v_expired ->> l.lane)::bigint, 0)
    from unnest(array['edge', 'inline', 'worker']) as l(lane);
end
$$;

create or replace function public.enqueue_background_job(
  type text, payload jsonb default '{}', lane text default null, idempotency_key text default null,
  inngest_event_id text default null, inngest_run_id text default null, hand_over boolean default false
) returns uuid
language plpgsql security definer
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_id uuid := public.uuid_v7();
  v_lane text;
  v_priority integer;
  v_max_retries integer;
  v_timeout_seconds integer;
  v_free boolean;
  v_awaited boolean;
  v_status text := 'queued';
  v_started_at timestamptz;
  v_until timestamptz;
  v_offer uuid;
  v_worker text;
  v_lease_seconds integer;
  v_token uuid;
  v_copy text;
begin
  -- Each expression is set up anew in each transaction: one long one costs less than many short ones.
  if (pg_column_size(payload) <= 100000 and coalesce(lane, 'edge') in ('edge', 'worker')
      and btrim(type) <> '' and octet_length(type) <= 1000
      and coalesce(greatest(octet_length(idempotency_key), octet_length(inngest_event_id), octet_length(inngest_run_id)), 1) <= 1000
      and coalesce(least(octet_length(idempotency_key), octet_length(inngest_event_id), octet_length(inngest_run_id)), 1) > 0
     ) is not true then
    -- It words every refusal, and takes long payloads.
    return (
      select e.id from public.enqueue_background_jobs(jsonb_build_array(
        jsonb_build_object('type', type, 'payload', payload) || jsonb_strip_nulls(jsonb_build_object(
          'lane', lane, 'idempotency_key', idempotency_key,
          'inngest_event_id', inngest_event_id, 'inngest_run_id', inngest_run_id)))) as e
      where e.created);
  end if;
  select coalesce(enqueue_background_job.lane, nullif(coalesce(t.lane_override, t.measured_lane, t.lane), 'inline'), 'edge'),
    t.priority, t.max_retries, t.timeout_seconds, not t.paused and t.throttle_limit is null and t.quotas = '{}'
  into v_lane, v_priority, v_max_retries, v_timeout_seconds, v_free
  from public.job_types t where t.type = enqueue_background_job.type;
  if not found then
    v_lane := coalesce(lane, 'edge');
    v_priority := 0;
    v_max_retries := 3;
    v_timeout_seconds := 120;
    v_free := true;
  end if;
  v_awaited := exists (select from public.background_job_workers w where w.idle and v_lane = any (w.lanes));
  if v_awaited and hand_over and v_free then
    -- A worker that waits renews its offer every second, unless a job keeps its process busy. Who gets the lock of the offer
    -- knows that the worker no longer listens.
    select o.offer, o.worker, o.lease_seconds, o.lease_token into v_offer, v_worker, v_lease_seconds, v_token
    from public.background_job_offers o
    where o.lane = v_lane and o.job_id is null and o.renewed_at > v_now - interval '2.5 seconds'
      and not pg_try_advisory_xact_lock_shared(hashtextextended('background_job_offers:' || o.offer, 0))
    limit 1 for update skip locked;
    if found then
      v_status := 'processing';
      v_started_at := v_now;
      -- As long as the worker thinks, and two seconds for the way. What takes longer is fetched: see job_queue.handed_job.
      v_until := v_now + make_interval(secs => v_lease_seconds + 2);
    end if;
  end if;
  if idempotency_key is null then
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds,
      inngest_event_id, inngest_run_id, revision, status, started_at, lease_token, lease_until)
    values (
      v_id, type, payload, v_lane, v_priority, v_now, v_now + interval '24 hours', v_max_retries, v_timeout_seconds,
      inngest_event_id, inngest_run_id, (uuid_hash(v_id) & 1073741823) | 1, v_status, v_started_at, v_token, v_until);
  else
    insert into public.background_jobs (
      id, type, payload, lane, priority, run_at, expires_at, max_retries, timeout_seconds, idempotency_key,
      inngest_event_id, inngest_run_id, revision, status, started_at, lease_token, lease_until)
    values (
      v_id, type, payload, v_lane, v_priority, v_now, v_now + interval '24 hours', v_max_retries, v_timeout_seconds, idempotency_key,
      inngest_event_id, inngest_run_id, (uuid_hash(v_id) & 1073741823) | 1, v_status, v_started_at, v_token, v_until)
    on conflict (idempotency_key) where idempotency_key is not null do nothing;
    if not found then return null; end if;
  end if;
  if v_offer is not null then
    insert into public.background_job_leases (token, worker, lane, claimed_at, lease_until, remaining, job_ids)
    values (v_token, v_worker, v_lane, v_now, v_until, 1, array[v_id]);
    update public.background_job_offers o set job_id = v_id, handed_at = v_now where o.offer = v_offer;
    v_copy := json_build_object(
      'id', v_id, 'type', type, 'payload', payload, 'retry_count', 0, 'max_retries', v_max_retries,
      'timeout_seconds', v_timeout_seconds, 'lease_token', v_token)::text;
    -- The longest that a notification can bring.
    perform pg_notify(v_offer::text, case when octet_length(v_copy) < 8000 then v_copy else '' end);
    return v_id;
  end if;
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type)
  values (v_lane, v_now - v_priority * interval '1 minute', v_id, v_now, v_now + interval '24 hours', type);
  -- It may run now: nobody has to look whether there is work.
  if v_awaited then perform pg_notify('background_job_ready', ''); end if;
  return v_id;
end
$$;

revoke all on function job_queue.forget_offers(timestamptz) from public, anon, authenticated, service_role;
