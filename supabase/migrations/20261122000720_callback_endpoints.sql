-- Who may be called back. A job's callback_url must lie under a registered endpoint, whose secret signs what is sent there.
-- The secret is shown once, when it is made; after that nothing reads it but the function that signs.

create table public.callback_endpoints (
  url text not null,
  secret text not null,
  previous_secret text,
  previous_secret_until timestamptz,
  allow_private boolean not null,
  enabled boolean not null default true,
  disabled_at timestamptz,
  disabled_reason text,
  created_at timestamptz not null default now(),
  constraint callback_endpoints_pkey primary key (url),
  constraint callback_endpoints_previous_secret_ends check ((previous_secret is null) = (previous_secret_until is null))
);
comment on table public.callback_endpoints is
  'Receivers of callbacks: an origin, or an origin and a path under which callback URLs must lie. Written by register_, rotate_, enable_ and disable_ functions.';
comment on column public.callback_endpoints.secret is 'whsec_ and 32 random bytes in base64. Granted to nobody.';
comment on column public.callback_endpoints.previous_secret is 'Signs beside secret until previous_secret_until.';
comment on column public.callback_endpoints.allow_private is 'http and addresses that are not public are allowed: for receivers beside the queue.';

alter table public.callback_endpoints enable row level security;
revoke all on public.callback_endpoints from public, anon, authenticated, service_role;
grant select (url, previous_secret_until, allow_private, enabled, disabled_at, disabled_reason, created_at)
  on public.callback_endpoints to service_role;

create function job_queue.is_callback_url(p_url text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
begin
  -- No user, fragment, backslash, white space or dot segment: nothing that a URL parser would read in another way than the
  -- comparison with an endpoint's URL does.
  return octet_length(p_url) <= 2000
    and p_url ~ '^https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&''()*+,;=:@%/-]*)?(\?[A-Za-z0-9._~!$&''()*+,;=:@%/?-]*)?$'
    and split_part(p_url, '?', 1) !~* '/(\.|%2e){1,2}(/|$)';
end
$$;
comment on function job_queue.is_callback_url(text) is
  'Whether this is a plain absolute http or https URL of at most 2000 bytes, its scheme and host in lower case. Never refuses.';

create function job_queue.has_public_name(p_url text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
declare
  v_host text := substring(p_url from '^https?://([^/:?]+)');
begin
  -- A last label that begins with a letter: so there is no IP address, in whatever spelling.
  return coalesce(
    v_host ~ '^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$'
    and v_host !~ '\.(localhost|local|internal|lan|home|corp|arpa)$', false);
end
$$;
comment on function job_queue.has_public_name(text) is
  'Whether the URL''s host is a name of the public DNS: no address, no single label, no suffix of private networks.';

create function job_queue.callback_endpoint_of(p_url text) returns public.callback_endpoints
language plpgsql stable
set search_path = ''
as $$
declare
  v_endpoint public.callback_endpoints;
begin
  if not job_queue.is_callback_url(p_url) then return null; end if;
  select e.* into v_endpoint from public.callback_endpoints e
  where p_url = e.url or starts_with(p_url, e.url || '/') or starts_with(p_url, e.url || '?')
  order by length(e.url) desc limit 1;
  return v_endpoint;
end
$$;
comment on function job_queue.callback_endpoint_of(text) is
  'The endpoint under which the URL lies, the closest one; a row of nulls when there is none.';

create function job_queue.callback_problem(p_url jsonb) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  v_url text := p_url #>> '{}';
  v_endpoint public.callback_endpoints;
begin
  -- Nothing behind the host is repeated: it may be private.
  if jsonb_typeof(p_url) <> 'string' or not job_queue.is_callback_url(v_url) then
    return 'expected a plain http or https URL of at most 2000 bytes: lower-case host, no user, fragment, space or dot segment';
  end if;
  v_endpoint := job_queue.callback_endpoint_of(v_url);
  if v_endpoint.url is null then
    return format('expected a URL under a registered callback endpoint (register_callback_endpoint), got one of %s',
      substring(v_url from '^https?://[^/?]+'));
  elsif not v_endpoint.enabled then
    return format('the callback endpoint %s is disabled (%s)', v_endpoint.url, coalesce(v_endpoint.disabled_reason, 'no reason was given'));
  end if;
  return null;
end
$$;
comment on function job_queue.callback_problem(jsonb) is
  'Why a job may not call back this URL; null when it may.';

create function job_queue.new_webhook_secret() returns text
language plpgsql volatile
set search_path = ''
as $$
begin
  -- Three random uuids are 366 random bits, more than the 256 that are kept; pgcrypto may be absent.
  return 'whsec_' || encode(sha256(
    uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64');
end
$$;
comment on function job_queue.new_webhook_secret() is 'A new secret as Standard Webhooks writes it: whsec_ and base64 of 32 bytes.';

create function public.register_callback_endpoint(url text, allow_private boolean default false) returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  v_url text := rtrim(register_callback_endpoint.url, '/');
  v_secret text := job_queue.new_webhook_secret();
begin
  if not coalesce(job_queue.is_callback_url(v_url), false) or position('?' in v_url) > 0 or octet_length(v_url) > 500 then
    raise exception using errcode = 'PT400', message =
      'url: expected a plain https URL of at most 500 bytes: lower-case host, no user, query, fragment, space or dot segment';
  elsif not coalesce(allow_private, false) and not (v_url like 'https://%' and job_queue.has_public_name(v_url)) then
    raise exception using errcode = 'PT400', message = 'url: expected https and a public host name',
      hint = 'register_callback_endpoint(url, allow_private => true) registers a receiver on this machine or in a private network.';
  end if;
  insert into public.callback_endpoints (url, secret, allow_private)
  values (v_url, v_secret, coalesce(allow_private, false)) on conflict do nothing;
  if not found then
    raise exception using errcode = 'PT409', message = format('url: the callback endpoint %s is registered already', v_url),
      hint = 'rotate_callback_secret(url) makes a new secret.';
  end if;
  return v_secret;
end
$$;
comment on function public.register_callback_endpoint(text, boolean) is
  'Allows callbacks to URLs under this one (an origin, or an origin and a path). Returns the secret that signs them: it is shown this once. Refuses (PT400) what is no public https URL, unless allow_private is true, and (PT409) one that is registered already.';

create function job_queue.require_callback_endpoint(p_url text) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_url text := rtrim(p_url, '/');
begin
  if not exists (select from public.callback_endpoints e where e.url = v_url) then
    raise exception using errcode = 'PT404', message = format('url: no callback endpoint %L is registered', left(v_url, 500));
  end if;
  return v_url;
end
$$;
comment on function job_queue.require_callback_endpoint(text) is
  'The URL as its endpoint is registered; refuses (PT404) one that is not.';

create function public.rotate_callback_secret(url text) returns text
language plpgsql security definer
set search_path = ''
as $$
declare
  v_url text := job_queue.require_callback_endpoint(rotate_callback_secret.url);
  v_secret text := job_queue.new_webhook_secret();
begin
  update public.callback_endpoints e
  set previous_secret = e.secret, previous_secret_until = clock_timestamp() + interval '24 hours', secret = v_secret
  where e.url = v_url;
  return v_secret;
end
$$;
comment on function public.rotate_callback_secret(text) is
  'Gives the endpoint a new secret and returns it, this once. For 24 hours callbacks carry a signature of the old one, too. Refuses (PT404) an endpoint that is not registered.';

create function public.disable_callback_endpoint(url text, reason text default null) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_url text := job_queue.require_callback_endpoint(disable_callback_endpoint.url);
begin
  update public.callback_endpoints e
  set enabled = false, disabled_at = clock_timestamp(), disabled_reason = left(reason, 1000)
  where e.url = v_url and e.enabled;
  return found;
end
$$;
comment on function public.disable_callback_endpoint(text, text) is
  'Nothing is sent there any more, and new jobs may not name it. True when it was enabled. Refuses (PT404) an endpoint that is not registered.';

create function public.enable_callback_endpoint(url text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
declare
  v_url text := job_queue.require_callback_endpoint(enable_callback_endpoint.url);
begin
  update public.callback_endpoints e set enabled = true, disabled_at = null, disabled_reason = null
  where e.url = v_url and not e.enabled;
  return found;
end
$$;
comment on function public.enable_callback_endpoint(text) is
  'Takes back disable_callback_endpoint; deliveries that failed meanwhile wait for redrive_dead_letter_jobs(''system/callback.deliver''). True when it was disabled. Refuses (PT404) an endpoint that is not registered.';

revoke all on function public.register_callback_endpoint(text, boolean), public.rotate_callback_secret(text),
  public.disable_callback_endpoint(text, text), public.enable_callback_endpoint(text) from public, anon, authenticated;
grant execute on function public.register_callback_endpoint(text, boolean), public.rotate_callback_secret(text),
  public.disable_callback_endpoint(text, text), public.enable_callback_endpoint(text) to service_role;
revoke all on function job_queue.is_callback_url(text), job_queue.has_public_name(text),
  job_queue.callback_endpoint_of(text), job_queue.callback_problem(jsonb), job_queue.new_webhook_secret(),
  job_queue.require_callback_endpoint(text) from public, anon, authenticated, service_role;
