-- A job for a worker that waits is handed to it in the transaction that enqueues it: one commit from the call to the handler
-- instead of two. The worker offers itself beforehand; the enqueue writes the job as a claim by that worker would leave it.

-- Unlogged: an offer is worth as much as the connection that made it, which no crash of the server survives either. So making,
-- taking and withdrawing one waits for no disk.
create unlogged table public.background_job_offers (
  offer uuid not null,
  lane text not null,
  worker text not null,
  lease_seconds integer not null,
  lease_token uuid not null default gen_random_uuid(),
  job_id uuid,
  handed_at timestamptz,
  constraint background_job_offers_pkey primary key (offer),
  constraint background_job_offers_handed check ((job_id is null) = (handed_at is null))
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);
comment on table public.background_job_offers is
  'Workers that wait for one job of a lane. job_id: what an enqueue has handed over, until the worker fetches it. An offer holds while a session holds its advisory lock and the worker''s row is fresh.';
comment on column public.background_job_offers.offer is 'Named in notifications, which everybody may hear; the lease token is not.';
alter table public.background_job_offers enable row level security;
revoke all on public.background_job_offers from public, anon, authenticated, service_role;
grant select on public.background_job_offers to service_role;

create function job_queue.handed_job(p_offer public.background_job_offers) returns json
language plpgsql
set search_path = '' set plan_cache_mode = force_generic_plan
as $$
begin
  -- The lease counts from the enqueue. A worker that comes late has it renewed: it counts from the fetch.
  if p_offer.handed_at < clock_timestamp() - interval '2 seconds' then
    perform public.heartbeat_background_jobs(
      jsonb_build_array(jsonb_build_object('job_id', p_offer.job_id, 'lease_token', p_offer.lease_token)), p_offer.lease_seconds);
  end if;
  return (
    select json_build_object(
      'id', j.id, 'type', j.type, 'payload', j.payload, 'retry_count', j.retry_count, 'max_retries', j.max_retries,
      'timeout_seconds', j.timeout_seconds, 'lease_token', j.lease_token)
    from public.background_jobs j
    where j.id = p_offer.job_id and j.status = 'processing' and j.lease_token = p_offer.lease_token);
end
$$;
comment on function job_queue.handed_job(public.background_job_offers) is
  'The job that was handed over under the offer, as a claim answers it, without steps; null when a hand edit has taken it away.';

create function public.offer_worker(offer uuid, lane text, worker text, lease_seconds integer) returns json
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
    update public.background_job_offers o set lease_token = gen_random_uuid(), job_id = null, handed_at = null
    where o.offer = offer_worker.offer;
    return job_queue.handed_job(v_offer);
  end if;
  return null;
end
$$;
comment on function public.offer_worker(uuid, text, text, integer) is
  'Offers the worker to enqueues, for one job of the lane (edge, worker), as long as a session holds the advisory lock of the offer: the one that listens for the worker. Returns the job that was handed over under this offer before, as a claim by the worker would, and null when there is none. Refuses other lanes and what a claim refuses (PT400).';

create function public.withdraw_worker_offer(offer uuid) returns json
language plpgsql security definer
set search_path = '' set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
declare
  v_offer public.background_job_offers;
begin
  delete from public.background_job_offers o where o.offer = withdraw_worker_offer.offer returning * into v_offer;
  return case when v_offer.job_id is not null then job_queue.handed_job(v_offer) end;
end
$$;
comment on function public.withdraw_worker_offer(uuid) is
  'Ends an offer. Returns the job that was handed over under it, which is the worker''s to run or to give back; null when there is none.';

create function job_queue.take_back_handed_jobs(p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_offer public.background_job_offers;
  v_job public.background_jobs;
begin
  for v_offer in
    select * from public.background_job_offers o
    where o.handed_at < p_now - interval '5 seconds'
       or pg_try_advisory_xact_lock_shared(hashtextextended('background_job_offers:' || o.offer, 0))
    for update skip locked
  loop
    -- Whoever removes the row has the job: a worker that comes later finds none.
    delete from public.background_job_offers o where o.offer = v_offer.offer;
    select * into v_job from public.background_jobs j
    where j.id = v_offer.job_id and j.status = 'processing' and j.lease_token = v_offer.lease_token for no key update;
    if found then
      perform job_queue.end_attempt(
        v_job, 'rescued', jsonb_build_object('name', 'NeverFetched', 'message', format('%s did not fetch the job', v_offer.worker)),
        case when v_job.cancel_requested_at is null then 'queued' else 'cancelled' end, v_job.run_at, v_job.lane, 0, null);
      perform job_queue.ring();
    end if;
  end loop;
end
$$;
comment on function job_queue.take_back_handed_jobs(timestamptz) is
  'Queues the jobs again that were handed to a worker and not fetched: those of workers that no longer listen at once, others after 5 s. They never began, so that costs no retry. Removes these offers.';

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
  perform job_queue.take_back_handed_jobs(v_now);
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

drop function public.enqueue_background_job(text, jsonb, text, text, text, text);
create function public.enqueue_background_job(
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
    -- A sign that is up says that the worker has room and found nothing to do; it is renewed every 10 s. Who gets the lock of
    -- the offer knows that the worker no longer listens.
    select o.offer, o.worker, o.lease_seconds, o.lease_token into v_offer, v_worker, v_lease_seconds, v_token
    from public.background_job_offers o
    where o.lane = v_lane and o.job_id is null
      and exists (select from public.background_job_workers w
                  where w.worker = o.worker and w.idle and w.seen_at > v_now - interval '15 seconds')
      and not pg_try_advisory_xact_lock_shared(hashtextextended('background_job_offers:' || o.offer, 0))
    limit 1 for update skip locked;
    if found then
      v_status := 'processing';
      v_started_at := v_now;
      -- As long as the worker thinks, which counts from its fetch: see job_queue.handed_job.
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
    perform pg_notify('background_job_handed', v_offer::text);
    return v_id;
  end if;
  insert into public.background_job_ready (lane, sort_at, id, run_at, expires_at, type)
  values (v_lane, v_now - v_priority * interval '1 minute', v_id, v_now, v_now + interval '24 hours', type);
  -- It may run now: nobody has to look whether there is work.
  if v_awaited then perform pg_notify('background_job_ready', ''); end if;
  return v_id;
end
$$;
comment on function public.enqueue_background_job(text, jsonb, text, text, text, text, boolean) is
  'Enqueues one job, as enqueue_background_jobs does with these keys, for less. hand_over: the call is its whole transaction, so that a worker that waits may be given the job at once, as if it had claimed it. Returns its id, or null when a job with this idempotency_key is known: nothing was done then, and enqueue_background_jobs answers that job. Raises PT400 or PT413 for what cannot be enqueued.';

revoke all on function public.enqueue_background_job(text, jsonb, text, text, text, text, boolean),
  public.offer_worker(uuid, text, text, integer), public.withdraw_worker_offer(uuid) from public, anon, authenticated;
grant execute on function public.enqueue_background_job(text, jsonb, text, text, text, text, boolean),
  public.offer_worker(uuid, text, text, integer), public.withdraw_worker_offer(uuid) to service_role;
revoke all on function job_queue.handed_job(public.background_job_offers), job_queue.take_back_handed_jobs(timestamptz)
  from public, anon, authenticated, service_role;
