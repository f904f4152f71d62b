-- Time-ordered ids and a private schema for the queue's own functions.

create schema if not exists job_queue;
comment on schema job_queue is
  'Internals of the background job queue. Nothing here is a contract; use the functions of schema public.';
revoke all on schema job_queue from public;

create function public.uuid_v7() returns uuid
language plpgsql volatile parallel safe
set search_path = ''
as $$
declare
  -- 1/4096 ms, so that ids made one after the other sort in the order in which they were made.
  v_ticks bigint := (extract(epoch from clock_timestamp()) * 4096000)::bigint;
begin
  return encode(
    int8send(((v_ticks >> 12) << 16) | 28672 | (v_ticks & 4095)) || substring(uuid_send(gen_random_uuid()) from 9),
    'hex')::uuid;
end
$$;
comment on function public.uuid_v7() is
  'A new uuid in version 7 layout (RFC 9562): 48 bits of Unix milliseconds, 12 bits of sub-millisecond time, 62 random bits. Never refuses.';
