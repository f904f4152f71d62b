-- Tokens and keys of users, sealed by the processes that use them (src/secrets): the database never sees a secret.

create table public.user_credentials (
  user_id uuid not null,
  provider text not null,
  ciphertext text not null,
  key_id text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_credentials_pkey primary key (user_id, provider),
  constraint user_credentials_provider_known check (provider in ('github', 'openai')),
  constraint user_credentials_sealed check (ciphertext like 'v1.%' and octet_length(ciphertext) <= 8192)
);
comment on table public.user_credentials is
  'Sealed tokens and keys of users, at most one per provider. Nobody reads the table; the functions below do, for service_role.';
comment on column public.user_credentials.ciphertext is 'v1.<key id>.<iv>.<ciphertext>: AES-256-GCM, bound to user and provider.';
comment on column public.user_credentials.key_id is
  'Names the key of GITHUB_TOKEN_ENCRYPTION_KEY that it was sealed with. A key without rows here may be retired.';

alter table public.user_credentials enable row level security;
revoke all on table public.user_credentials from public, anon, authenticated, service_role;

create function public.store_user_credential(user_id uuid, provider text, ciphertext text, key_id text) returns void
language plpgsql security definer
set search_path = ''
as $$
begin
  if store_user_credential.user_id is null then
    raise exception using errcode = 'PT400', message = 'user_id: expected the id of a user, got null';
  end if;
  if coalesce(store_user_credential.provider, '') not in ('github', 'openai') then
    raise exception using errcode = 'PT400', message = 'provider: expected github or openai';
  end if;
  -- What it is instead is not said: it may be the secret itself.
  if coalesce(store_user_credential.ciphertext, '') !~ '^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$'
     or octet_length(store_user_credential.ciphertext) > 8192 then
    raise exception using errcode = 'PT400', message = 'ciphertext: expected a sealed text, v1.<key id>.<iv>.<ciphertext>';
  end if;
  if store_user_credential.key_id is distinct from split_part(store_user_credential.ciphertext, '.', 2) then
    raise exception using errcode = 'PT400', message = 'key_id: expected the key id of the sealed text';
  end if;
  insert into public.user_credentials as c (user_id, provider, ciphertext, key_id)
  values (store_user_credential.user_id, store_user_credential.provider, store_user_credential.ciphertext,
          store_user_credential.key_id)
  on conflict on constraint user_credentials_pkey do update
    set ciphertext = excluded.ciphertext, key_id = excluded.key_id, updated_at = now();
end
$$;
comment on function public.store_user_credential(uuid, text, text, text) is
  'Stores a sealed token or key of a user in place of an earlier one. Refuses (PT400) another provider than github and openai, and a text that is not sealed.';

create function public.get_user_credential(user_id uuid, provider text) returns text
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return (select c.ciphertext from public.user_credentials c
          where c.user_id = get_user_credential.user_id and c.provider = get_user_credential.provider);
end
$$;
comment on function public.get_user_credential(uuid, text) is
  'The sealed token or key of the user; null when there is none. Never refuses.';

create function public.reseal_user_credential(
  user_id uuid, provider text, old_ciphertext text, ciphertext text, key_id text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  update public.user_credentials c
  set ciphertext = reseal_user_credential.ciphertext, key_id = reseal_user_credential.key_id
  where c.user_id = reseal_user_credential.user_id and c.provider = reseal_user_credential.provider
    and c.ciphertext = reseal_user_credential.old_ciphertext;
  return found;
end
$$;
comment on function public.reseal_user_credential(uuid, text, text, text, text) is
  'Replaces a sealed text by the same secret under a newer key. False when the user has stored another one meanwhile, which stays.';

create function public.delete_user_credential(user_id uuid, provider text) returns boolean
language plpgsql security definer
set search_path = ''
as $$
begin
  delete from public.user_credentials c
  where c.user_id = delete_user_credential.user_id and c.provider = delete_user_credential.provider;
  return found;
end
$$;
comment on function public.delete_user_credential(uuid, text) is
  'Forgets the token or key of the user. False when there was none. Never refuses.';

do $$
declare
  v_function text;
begin
  foreach v_function in array array[
    'store_user_credential(uuid, text, text, text)', 'get_user_credential(uuid, text)',
    'reseal_user_credential(uuid, text, text, text, text)', 'delete_user_credential(uuid, text)'] loop
    execute format('revoke all on function public.%s from public, anon, authenticated', v_function);
    execute format('grant execute on function public.%s to service_role', v_function);
  end loop;
end
$$;
