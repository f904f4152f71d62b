-- How full is the queue, by lane and type?
-- When to worry: oldest_due_at lies minutes back on a lane whose process is running.
select lane, type, queued, due, oldest_due_at, next_run_at
from queue_depth
order by oldest_due_at nulls last, lane, type;
