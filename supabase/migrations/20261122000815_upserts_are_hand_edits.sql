-- A row written back with all its columns, as supabase-js does with .upsert({ ...row }) and .update({ ...row }), brings a
-- revision of its own. It is a hand edit all the same: only our own functions raise revision by exactly 1.

drop trigger background_jobs_follow_hand_update on public.background_jobs;
create trigger background_jobs_follow_hand_update after update on public.background_jobs
  for each row when (new.revision <> old.revision + 1) execute function job_queue.follow_hand_edit();

comment on column public.background_jobs.revision is
  'Raised by 1 by every change that the queue''s own functions make; they start it at a hash of the id. A row inserted by hand starts at -1; an update that does anything else with it is a hand edit, which a trigger follows.';
comment on table public.background_jobs is
  'Every background job, one row each, whatever lane it runs on. status is always literally true. Rows may be inserted, updated and deleted by hand: triggers keep the narrow tables in step, right after the edit, so its own RETURNING shows the row before the columns that follow from it (lease, times) are settled.';
