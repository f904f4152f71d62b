-- How a pull request is being worked on, computed from the captured rows.

create table public.pull_request_activity (
  pull_request_id uuid not null,
  first_review_at timestamptz,
  time_to_first_review_seconds bigint,
  review_rounds integer not null,
  reviews integer not null,
  review_comments integer not null,
  conversation_comments integer not null,
  comments integer not null generated always as (review_comments + conversation_comments) stored,
  participants integer not null,
  last_activity_at timestamptz not null,
  computed_at timestamptz not null,
  -- One row for a pull request, so its key is the index of the foreign key, too.
  constraint pull_request_activity_pkey primary key (pull_request_id),
  constraint pull_request_activity_pull_request_id_fkey
    foreign key (pull_request_id) references public.pull_requests (id) on delete cascade,
  constraint pull_request_activity_first_review_check
    check (num_nulls(first_review_at, time_to_first_review_seconds) in (0, 2))
);

alter table public.pull_request_activity enable row level security;
revoke all on table public.pull_request_activity from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.pull_request_activity to service_role;
grant select on table public.pull_request_activity to authenticated;
create policy pull_request_activity_read on public.pull_request_activity for select to authenticated using (true);

comment on table public.pull_request_activity is
  'Metrics of pull requests, as update_pull_request_activity last computed them from the captured reviews and comments.';
comment on column public.pull_request_activity.first_review_at is
  'When the first review by somebody else was submitted; null: there is none.';
comment on column public.pull_request_activity.time_to_first_review_seconds is
  'Whole seconds from the pull request''s created_at to first_review_at, never below 0; null: there is no such review.';
comment on column public.pull_request_activity.review_rounds is
  'Distinct commits that somebody else reviewed: each round looks at a new state of the code.';
comment on column public.pull_request_activity.reviews is 'Submitted reviews, whoever wrote them.';
comment on column public.pull_request_activity.review_comments is 'Comments on code, whoever wrote them.';
comment on column public.pull_request_activity.conversation_comments is 'Comments in the conversation, whoever wrote them.';
comment on column public.pull_request_activity.comments is 'review_comments + conversation_comments.';
comment on column public.pull_request_activity.participants is
  'Accounts that wrote the pull request, a submitted review or a comment; bots and deleted accounts are not counted.';
comment on column public.pull_request_activity.last_activity_at is
  'The latest time at which the pull request was updated, merged or closed, a review was submitted, or a comment was written or edited.';
comment on column public.pull_request_activity.computed_at is 'When the metrics were last computed.';

create function public.update_pull_request_activity(repository jsonb, pr_number integer) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_id uuid := (public.get_capture_state(repository, pr_number) #>> '{pull_request,id}')::uuid;
  v_activity jsonb;
begin
  with pull as (
    select p.id, p.author_id, p.created_at, p.updated_at, p.merged_at, p.closed_at
    from public.pull_requests p where p.id = v_id
  ), submitted as (
    select r.reviewer_id, r.commit_sha, r.submitted_at,
           -- A deleted account is not the author, unless the author's is deleted as well: then nobody can tell.
           r.reviewer_id is distinct from pull.author_id and not coalesce(reviewer.is_bot, false) as by_somebody_else
    from pull
    join public.reviews r on r.pull_request_id = pull.id and r.state <> 'PENDING' and r.submitted_at is not null
    left join public.contributors reviewer on reviewer.id = r.reviewer_id
  ), reviewed as (
    select count(*) as reviews, max(s.submitted_at) as last_at,
           min(s.submitted_at) filter (where s.by_somebody_else) as first_at,
           count(distinct s.commit_sha) filter (where s.by_somebody_else) as rounds
    from submitted s
  ), commented as (
    select count(*) filter (where c.comment_type = 'review_comment') as on_code,
           count(*) filter (where c.comment_type = 'issue_comment') as in_conversation,
           max(greatest(c.created_at, c.updated_at)) as last_at
    from pull join public.comments c on c.pull_request_id = pull.id
  ), taking_part as (
    select pull.author_id as contributor_id from pull
    union select s.reviewer_id from submitted s
    union select c.commenter_id from pull join public.comments c on c.pull_request_id = pull.id
  )
  insert into public.pull_request_activity as known (
    pull_request_id, first_review_at, time_to_first_review_seconds, review_rounds, reviews, review_comments,
    conversation_comments, participants, last_activity_at, computed_at)
  select pull.id, reviewed.first_at,
         case when reviewed.first_at is not null
              then greatest(0, floor(extract(epoch from reviewed.first_at - pull.created_at))) end,
         reviewed.rounds, reviewed.reviews, commented.on_code,
         commented.in_conversation,
         (select count(*) from taking_part t join public.contributors c on c.id = t.contributor_id where not c.is_bot),
         -- greatest ignores nulls.
         greatest(pull.updated_at, pull.merged_at, pull.closed_at, reviewed.last_at, commented.last_at),
         clock_timestamp()
  from pull cross join reviewed cross join commented
  on conflict on constraint pull_request_activity_pkey do update
    set first_review_at = excluded.first_review_at,
        time_to_first_review_seconds = excluded.time_to_first_review_seconds,
        review_rounds = excluded.review_rounds, reviews = excluded.reviews,
        review_comments = excluded.review_comments, conversation_comments = excluded.conversation_comments,
        participants = excluded.participants, last_activity_at = excluded.last_activity_at,
        computed_at = excluded.computed_at
  returning to_jsonb(known) into v_activity;
  return v_activity;
end
$$;
comment on function public.update_pull_request_activity(jsonb, integer) is
  'Computes the metrics of a pull request from the captured rows, stores them, and returns the row of pull_request_activity; null when the pull request is unknown. A review by somebody else is a submitted one, of whatever verdict, whose author is neither the pull request''s nor a bot. first_review_at = min(submitted_at) of those; time_to_first_review_seconds = floor(first_review_at - created_at); review_rounds = count(distinct commit_sha) of those; reviews, review_comments, conversation_comments = count of all submitted; participants = count(distinct account), without bots; last_activity_at = greatest of updated_at, merged_at, closed_at, the reviews'' submitted_at, the comments'' created_at and updated_at. Run twice, it changes nothing but computed_at. Refuses (PT400) a repository without a name.';

revoke all on function public.update_pull_request_activity(jsonb, integer) from public, anon, authenticated;
grant execute on function public.update_pull_request_activity(jsonb, integer) to service_role;
