import type { JobStatus } from '../../queue/job-queue.ts';

/** A job as lists show it. */
export interface ListedJob {
  id: string;
  type: string;
  status: JobStatus;
  lane: string;
  created_at: Date;
  run_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  duration_ms: number | null;
  retry_count: number;
  max_retries: number;
  progress: number | null;
  repository: string | null;
  error: string | null;
}

/** The columns of {@link ListedJob}, of `background_jobs j`. */
export const listedColumns = `j.id, j.type, j.status, j.lane, j.created_at, j.run_at, j.started_at,
  case j.status when 'completed' then j.completed_at when 'failed' then j.failed_at when 'cancelled' then j.cancel_requested_at end as ended_at,
  j.duration_ms, j.retry_count, j.max_retries, j.progress,
  coalesce((select r.owner || '/' || r.name from public.repositories r where r.id = j.repository_id),
    case jsonb_typeof(j.payload -> 'repository') when 'string' then j.payload ->> 'repository' end) as repository,
  left(j.error, 300) as error`;

export const jobStatuses = ['queued', 'processing', 'completed', 'failed', 'cancelled'] as const;
export const lanes = ['inline', 'edge', 'worker'] as const;
