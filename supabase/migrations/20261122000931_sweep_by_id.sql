-- The sweep looks up a thousand jobs by id. Joined by hash, it read the whole table for them while that is not large.
alter function job_queue.reconcile_ready() set enable_hashjoin = off set enable_mergejoin = off set jit = off;
