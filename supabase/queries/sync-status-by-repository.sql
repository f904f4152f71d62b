-- When was each tracked repository last synced, and how did its newest sync job end?
-- When to worry: overdue is over a day, or last_status is failed: its error says why.
with synced as (
  select distinct on (s.repository) s.*
  from (
    -- A job names its repository in one of these ways.
    select lower(coalesce(r.owner || '/' || r.name, case jsonb_typeof(p.named) when 'string' then p.named #>> '{}' end,
        p.owner || '/' || coalesce(p.named ->> 'name', j.payload ->> 'repo', j.payload ->> 'name'))) as repository,
      j.id, j.type, j.status, j.created_at, j.error
    from background_jobs j
    cross join lateral (
      select j.payload -> 'repository' as named, coalesce(j.payload #>> '{repository,owner}', j.payload ->> 'owner') as owner) p
    left join repositories r on r.id::text = coalesce(j.repository_id::text, j.payload ->> 'repositoryId')
    where j.type in ('capture/repository.sync', 'capture/repository.sync.graphql', 'capture/repository.sync.enhanced')
      and j.created_at > now() - interval '7 days') s
  where s.repository is not null
  order by s.repository, s.created_at desc
)
select r.owner || '/' || r.name as repository, t.priority, t.enabled, r.pull_requests_synced_at,
  now() - r.pull_requests_synced_at - case t.priority when 'high' then interval '1 hour' when 'medium' then interval '6 hours'
    else interval '24 hours' end as overdue,
  s.type as last_type, s.status as last_status, s.created_at as last_started, left(s.error, 120) as error, s.id as last_job_id
from tracked_repositories t
join repositories r on r.id = t.repository_id
left join synced s on s.repository = lower(r.owner || '/' || r.name)
order by t.enabled desc, overdue desc nulls first, repository;
