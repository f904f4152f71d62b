-- What the jobs spend at providers of models: one row a day for each provider, model, purpose and user.

create table public.ai_usage (
  day date not null,
  provider text not null,
  model text not null,
  purpose text not null,
  user_id uuid,
  requests bigint not null default 0,
  input_tokens bigint not null default 0,
  output_tokens bigint not null default 0,
  cost_micro_usd bigint not null default 0,
  constraint ai_usage_once unique nulls not distinct (day, provider, model, purpose, user_id),
  constraint ai_usage_counts_natural
    check (requests >= 0 and input_tokens >= 0 and output_tokens >= 0 and cost_micro_usd >= 0)
);
comment on table public.ai_usage is
  'What was spent at providers of models, a day (UTC) and provider, model, purpose (embeddings, narrative) and user: requests, tokens, and their cost at list prices.';
comment on column public.ai_usage.user_id is 'For whom; null: for the platform itself.';
comment on column public.ai_usage.cost_micro_usd is 'In millionths of a US dollar; 0 for models without a known price and for a user''s own key.';

create index ai_usage_user_id_idx on public.ai_usage (user_id, day) where user_id is not null;

alter table public.ai_usage enable row level security;
revoke all on public.ai_usage from public, anon, authenticated, service_role;
grant select, insert, update, delete on public.ai_usage to service_role;

create function public.record_ai_usage(
  provider text, model text, purpose text, requests integer, input_tokens integer, output_tokens integer,
  cost_micro_usd integer, user_id uuid default null
) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  v_name text;
  v_text text;
  v_number integer;
begin
  for v_name, v_text in values ('provider', record_ai_usage.provider), ('model', record_ai_usage.model), ('purpose', record_ai_usage.purpose) loop
    if v_text is null or octet_length(v_text) not between 1 and 200 then
      raise exception using errcode = 'PT400', message = format('%s: expected a text of 1 to 200 bytes', v_name);
    end if;
  end loop;
  for v_name, v_number in values
    ('requests', record_ai_usage.requests), ('input_tokens', record_ai_usage.input_tokens),
    ('output_tokens', record_ai_usage.output_tokens), ('cost_micro_usd', record_ai_usage.cost_micro_usd)
  loop
    if v_number is null or v_number < 0 then
      raise exception using errcode = 'PT400', message = format('%s: expected a whole number from 0', v_name);
    end if;
  end loop;
  insert into public.ai_usage as known
    (day, provider, model, purpose, user_id, requests, input_tokens, output_tokens, cost_micro_usd)
  values
    ((clock_timestamp() at time zone 'UTC')::date, record_ai_usage.provider, record_ai_usage.model,
     record_ai_usage.purpose, record_ai_usage.user_id, record_ai_usage.requests, record_ai_usage.input_tokens,
     record_ai_usage.output_tokens, record_ai_usage.cost_micro_usd)
  on conflict on constraint ai_usage_once do update
    set requests = known.requests + excluded.requests,
        input_tokens = known.input_tokens + excluded.input_tokens,
        output_tokens = known.output_tokens + excluded.output_tokens,
        cost_micro_usd = known.cost_micro_usd + excluded.cost_micro_usd;
end
$$;
comment on function public.record_ai_usage(text, text, text, integer, integer, integer, integer, uuid) is
  'Adds to what was spent today (UTC) at a provider, for a model, a purpose and, if named, a user. Returns nothing. Refuses (PT400) an empty name or a negative number, naming the argument.';

revoke all on function public.record_ai_usage(text, text, text, integer, integer, integer, integer, uuid)
  from public, anon, authenticated;
grant execute on function public.record_ai_usage(text, text, text, integer, integer, integer, integer, uuid)
  to service_role;
