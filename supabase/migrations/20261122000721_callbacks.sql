-- Callbacks: when a job with a callback_url ends, system/callback.deliver is enqueued in the same transaction. What it sends
-- is written down here, so that every attempt of it sends the same, and signed here, so that the secret stays here.

create table public.background_job_callbacks (
  job_id uuid not null,
  url text not null,
  body text not null,
  constraint background_job_callbacks_pkey primary key (job_id),
  constraint background_job_callbacks_job foreign key (job_id) references public.background_jobs (id) on delete cascade
);
comment on table public.background_job_callbacks is
  'What a system/callback.deliver job (job_id) sends and where: the ended job as it was then. Only the queue''s functions write it.';

alter table public.background_job_callbacks enable row level security;
revoke all on public.background_job_callbacks from public, anon, authenticated, service_role;
grant select on public.background_job_callbacks to service_role;

create function job_queue.iso_time(p_at timestamptz) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
end
$$;
comment on function job_queue.iso_time(timestamptz) is 'The time in ISO 8601 with milliseconds, in UTC.';

create function job_queue.callback_body(p_job public.background_jobs) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_result_bytes integer := octet_length(p_job.result::text);
begin
  return jsonb_build_object(
    'type', 'job.' || p_job.status,
    'timestamp', job_queue.iso_time(coalesce(p_job.completed_at, p_job.failed_at, clock_timestamp())),
    'data', jsonb_build_object(
      'jobId', p_job.id, 'type', p_job.type, 'status', p_job.status, 'idempotencyKey', p_job.idempotency_key,
      'retryCount', p_job.retry_count, 'activeMs', p_job.active_ms,
      'createdAt', job_queue.iso_time(p_job.created_at), 'startedAt', job_queue.iso_time(p_job.started_at)
    ) || case
      -- Receivers limit what they take: a larger result is for them to fetch.
      when p_job.status = 'completed' and v_result_bytes > 65536
        then jsonb_build_object('result', null, 'resultOmitted', true, 'resultBytes', v_result_bytes)
      when p_job.status = 'completed' then jsonb_build_object('result', p_job.result)
      when p_job.status = 'failed' then jsonb_build_object('error', left(p_job.error, 10000), 'reason', p_job.failure_reason)
      else jsonb_build_object('reason', p_job.cancel_reason)
    end)::text;
end
$$;
comment on function job_queue.callback_body(public.background_jobs) is
  'What a receiver is told of an ended job: {type, timestamp, data}, JSON of less than about 120 KB.';

create function job_queue.start_callbacks(p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_alert_url text := (select s.value #>> '{}' from public.job_settings s where s.name = 'dead_letter_callback_url');
  v_portion record;
begin
  -- In portions: a sweep may end ten thousand jobs at once, and a body may have 120 KB.
  for v_portion in
    select array_agg(t.url order by t.n) as urls, array_agg(t.body order by t.n) as bodies,
           jsonb_agg(jsonb_build_object(
             'type', 'system/callback.deliver', 'payload', jsonb_build_object('jobId', t.id),
             -- Its retries go on for three days.
             'expires_at', clock_timestamp() + interval '7 days',
             -- A receiver that is slow must not take all places of a lane.
             'concurrency_key', 'callback:' || left(coalesce(substring(t.url from '^https?://[^/?]+'), 'malformed'), 300),
             'concurrency_limit', 5) order by t.n) as deliveries
    from (
      select row_number() over (order by j.id, u.url) as n, j.id, u.url, job_queue.callback_body(j) as body
      from public.background_jobs j cross join lateral (
        select j.callback_url as url
        union -- not all: who asks for both is told once
        -- Not of our own jobs: a receiver that is down would be told of its own failed deliveries.
        select v_alert_url where j.status = 'failed' and j.type not like 'system/%') u
      where j.id = any (p_ids) and u.url is not null and j.status in ('completed', 'failed', 'cancelled')) t
    group by (t.n - 1) / 500 order by min(t.n)
  loop
    insert into public.background_job_callbacks (job_id, url, body)
    select e.id, t.url, t.body
    from public.enqueue_background_jobs(v_portion.deliveries) with ordinality as e(id, status, created, n)
    join unnest(v_portion.urls, v_portion.bodies) with ordinality as t(url, body, n) on t.n = e.n;
  end loop;
end
$$;
comment on function job_queue.start_callbacks(uuid[]) is
  'Enqueues one delivery for each of these ended jobs and each URL that is to hear of it: its callback_url, and dead_letter_callback_url (job_settings) when it failed and is not a system/ job.';

create function job_queue.hmac_sha256(p_key bytea, p_message bytea) returns bytea
language plpgsql immutable
set search_path = ''
as $$
declare
  -- RFC 2104, for pgcrypto may be absent.
  v_key bytea := case when length(p_key) > 64 then sha256(p_key) else p_key end;
  v_inner bytea := decode(repeat('36', 64), 'hex');
  v_outer bytea := decode(repeat('5c', 64), 'hex');
begin
  for v_at in 0..length(v_key) - 1 loop
    v_inner := set_byte(v_inner, v_at, get_byte(v_inner, v_at) # get_byte(v_key, v_at));
    v_outer := set_byte(v_outer, v_at, get_byte(v_outer, v_at) # get_byte(v_key, v_at));
  end loop;
  return sha256(v_outer || sha256(v_inner || p_message));
end
$$;
comment on function job_queue.hmac_sha256(bytea, bytea) is 'HMAC-SHA256 of the message.';

create function job_queue.webhook_signature(p_secret text, p_id text, p_timestamp text, p_body text) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  -- https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  return 'v1,' || encode(job_queue.hmac_sha256(
    decode(substr(p_secret, length('whsec_') + 1), 'base64'),
    convert_to(p_id || '.' || p_timestamp || '.' || p_body, 'UTF8')), 'base64');
end
$$;
comment on function job_queue.webhook_signature(text, text, text, text) is
  'The symmetric signature of Standard Webhooks: v1, and base64 of the HMAC of id.timestamp.body.';

create function public.sign_callback(job_id uuid)
returns table (url text, endpoint text, allow_private boolean, enabled boolean, headers jsonb, body text)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_id text := sign_callback.job_id::text;
  v_timestamp text := floor(extract(epoch from clock_timestamp()))::bigint::text;
  v_callback public.background_job_callbacks;
  v_endpoint public.callback_endpoints;
begin
  select * into v_callback from public.background_job_callbacks c where c.job_id = sign_callback.job_id;
  if v_callback.job_id is null then return; end if;
  v_endpoint := job_queue.callback_endpoint_of(v_callback.url);
  return query select v_callback.url, v_endpoint.url, v_endpoint.allow_private, v_endpoint.enabled,
    case when v_endpoint.enabled then jsonb_build_object(
      'webhook-id', v_id, 'webhook-timestamp', v_timestamp,
      'webhook-signature', concat_ws(' ',
        job_queue.webhook_signature(v_endpoint.secret, v_id, v_timestamp, v_callback.body),
        case when v_endpoint.previous_secret_until > clock_timestamp()
          then job_queue.webhook_signature(v_endpoint.previous_secret, v_id, v_timestamp, v_callback.body) end)) end,
    v_callback.body;
end
$$;
comment on function public.sign_callback(uuid) is
  'What the system/callback.deliver job is to send now, with the headers of Standard Webhooks: webhook-id is the job''s id, the same at every attempt. endpoint is null when none covers the URL, headers are null unless it is enabled. No row for any other job.';

revoke all on function public.sign_callback(uuid) from public, anon, authenticated;
grant execute on function public.sign_callback(uuid) to service_role;
revoke all on function job_queue.iso_time(timestamptz), job_queue.callback_body(public.background_jobs),
  job_queue.start_callbacks(uuid[]), job_queue.hmac_sha256(bytea, bytea),
  job_queue.webhook_signature(text, text, text, text) from public, anon, authenticated, service_role;
