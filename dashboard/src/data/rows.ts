/** What the `operator_*` functions of the database answer. Times are ISO strings, durations milliseconds. */

export const statuses = ['queued', 'processing', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof statuses)[number];

export const lanes = ['inline', 'edge', 'worker'] as const;
export type Lane = (typeof lanes)[number];

/** JSON as it came; shown, not interpreted. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Overview {
  at: string;
  totals: {
    queued: number;
    due: number;
    processing: number;
    dead_letter: number;
    total_24h: number;
    completed_24h: number;
    failed_24h: number;
    success_rate: number | null;
    avg_duration_ms: number | null;
    p50_duration_ms: number | null;
    p95_duration_ms: number | null;
    avg_wait_ms: number | null;
    p50_wait_ms: number | null;
    p95_wait_ms: number | null;
    oldest_queued_seconds: number | null;
    /** Ended jobs, mean of the last five full minutes. */
    per_minute: number;
  };
  lanes: LaneRow[];
  types: TypeRow[];
  workers: { worker: string; lanes: string[]; idle: boolean; started_at: string; seen_at: string }[];
}

export interface LaneRow {
  lane: Lane;
  queued: number;
  due: number;
  processing: number;
  oldest_due_at: string | null;
  workers: number;
}

/** Counts and durations of the last 7 days. */
export interface TypeRow {
  type: string;
  title: string | null;
  lane: Lane;
  paused: boolean;
  queued: number;
  due: number;
  processing: number;
  completed: number;
  failed: number;
  cancelled: number;
  success_rate: number | null;
  p50_duration_ms: number | null;
  p95_duration_ms: number | null;
  p50_wait_ms: number | null;
  p95_wait_ms: number | null;
}

export interface ThroughputRow {
  starts_at: string;
  completed: number;
  failed: number;
  cancelled: number;
}

export interface JobRow {
  id: string;
  type: string;
  status: JobStatus;
  lane: Lane;
  priority: number;
  progress: number | null;
  progress_message: string | null;
  retry_count: number;
  max_retries: number;
  created_at: string;
  run_at: string;
  started_at: string | null;
  ended_at: string | null;
  duration_ms: number | null;
  active_ms: number;
  error: string | null;
  failure_reason: string | null;
  cancel_requested_at: string | null;
  repository: string | null;
}

export interface JobPage {
  jobs: JobRow[];
  /** Goes into the next call as it is; null at the end of the list. */
  next: Json;
  searched_to: string | null;
}

export interface JobFilter {
  status?: JobStatus;
  type?: string;
  lane?: Lane;
  repository?: string;
  from?: string;
  to?: string;
  text?: string;
}

export interface JobDetails {
  job: JobRow & {
    title: string | null;
    payload: Json;
    payload_omitted?: boolean;
    payload_bytes?: number;
    result: Json;
    result_omitted?: boolean;
    result_bytes?: number;
    timeout_seconds: number;
    expires_at: string;
    idempotency_key: string | null;
    concurrency_key: string | null;
    concurrency_limit: number | null;
    inngest_event_id: string | null;
    inngest_run_id: string | null;
    callback_url: string | null;
    cancel_reason: string | null;
  };
  explain: string;
  worker: string | null;
  lease_until: string | null;
  attempts: Attempt[];
  steps: SavedStep[];
  parents: Relative[];
  children: Relative[];
  github: { repository: string; url: string } | null;
}

export interface Attempt {
  number: number;
  lane: Lane;
  worker: string | null;
  started_at: string;
  ended_at: string;
  outcome: string;
  error: { name?: string; message?: string; stack?: string } | null;
}

export interface SavedStep {
  name: string;
  saved_at: string;
  output: Json;
  output_bytes: number;
  output_omitted: boolean;
}

/** A job that this one waits for, or that waits for it. */
export interface Relative {
  id: string;
  type: string;
  status: JobStatus;
  settled: boolean;
  on_failure: string | null;
}

export interface ScheduleRow {
  name: string;
  type: string;
  cron: string;
  timezone: string;
  payload: Json;
  catch_up: string;
  enabled: boolean;
  source: 'definition' | 'operator';
  evaluated_until: string | null;
  problem: string | null;
}

export interface QuotaRow {
  quota: string;
  /** A fingerprint, never the token. */
  token: string;
  allowance: number | null;
  remaining: number | null;
  resets_at: string | null;
  blocked_until: string | null;
  reported_at: string;
  exhausted: boolean;
  waiting: number;
}

export interface JobTypeRow {
  type: string;
  title: string | null;
  lane: Lane;
  lane_override: Lane | null;
  measured_lane: Lane | null;
  effective_lane: Lane;
  paused: boolean;
  timeout_seconds: number;
  max_retries: number;
  priority: number;
  payload_schema: Json;
}

export interface AuditRow {
  id: string;
  at: string;
  actor: string;
  email: string | null;
  action: string;
  arguments: Json;
  result: Json;
}

/** What an operator may say about a job to enqueue. */
export interface NewJob {
  type: string;
  payload: Json;
  lane?: Lane;
  priority?: number;
  run_at?: string;
  idempotency_key?: string;
}
