-- A claim of before 20261122000810 that ran after 20261122000800 had been applied knew nothing of parked jobs: it could park one
-- twice, which took its place in line from it (sort_at = infinity, with line_at = null or infinity). The sweep finds such a row
-- only where the line is short. This puts them back; a claim parks them again where their key is busy.

update public.background_job_ready r
set sort_at = j.run_at - j.priority * interval '1 minute', line_at = null
from public.background_jobs j
where j.id = r.id and j.status = 'queued' and r.sort_at = 'infinity' and coalesce(r.line_at, 'infinity') = 'infinity';
