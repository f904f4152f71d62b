/** Who may do what to a table or view of schema public. Who is not named may nothing; `anon` is named nowhere. */
export interface Access {
  service_role: readonly Verb[];
  /** `some columns`: the rest is for operators. `own rows`: those of the signed-in user. */
  authenticated: 'nothing' | 'every row' | 'own rows' | 'some columns';
}

export type Verb = 'select' | 'insert' | 'update' | 'delete';

const reads: readonly Verb[] = ['select'];
const writes: readonly Verb[] = ['select', 'insert', 'update', 'delete'];

/** The queue's bookkeeping and what jobs keep for themselves: written by functions alone. */
const bookkeeping: Access = { service_role: reads, authenticated: 'nothing' };

/** What is known of GitHub, which every signed-in user may read. */
const captured: Access = { service_role: writes, authenticated: 'every row' };

/** What belongs to a user. */
const owned: Access = { service_role: writes, authenticated: 'own rows' };

const internal: Access = { service_role: writes, authenticated: 'nothing' };

/** Every table and view of schema public. A new one belongs here before it is released. */
export const relations: Record<string, Access> = {
  background_jobs: { service_role: writes, authenticated: 'some columns' },
  job_statistics: { service_role: reads, authenticated: 'every row' },
  job_statistics_hourly: { service_role: reads, authenticated: 'every row' },
  ...every(bookkeeping, [
    ...[
      'background_job_attempts',
      'background_job_callbacks',
      'background_job_dependencies',
      'background_job_freed_keys',
    ],
    ...['background_job_leases', 'background_job_ready', 'background_job_slots', 'background_job_steps'],
    ...['background_job_wakes', 'background_job_workers', 'background_job_offers', 'job_lane_moves'],
    ...['job_type_starts', 'job_types'],
    ...['dead_letter_jobs', 'queue_depth', 'stuck_jobs', 'operator_actions'],
    ...['background_job_ends', 'job_creations', 'job_dead_letters'],
    ...['job_rollups', 'job_rollup_progress', 'job_recent_ends'],
    ...['embedded_repositories', 'embedding_due', 'similarity_lists'],
    ...['repository_changes', 'repository_daily_metrics', 'repository_metrics'],
  ]),
  ...every(captured, [
    ...[
      'repositories',
      'contributors',
      'pull_requests',
      'issues',
      'reviews',
      'comments',
      'pull_request_activity',
    ],
    ...['discussions', 'discussion_comments', 'tracked_repositories', 'similarity_cache'],
  ]),
  ...every(owned, [
    ...[
      'workspaces',
      'workspace_repositories',
      'workspace_daily_metrics',
      'workspace_metrics',
      'analysis_jobs',
    ],
  ]),
  ...every(internal, [
    ...[
      'ai_usage',
      'analysis_commits',
      'analysis_plans',
      'analysis_subscribers',
      'embeddings',
      'job_schedules',
    ],
  ]),
  job_quotas: { service_role: ['select', 'delete'], authenticated: 'nothing' },
  job_settings: { service_role: ['select', 'update'], authenticated: 'nothing' },
  // Columns without the secrets, and no column at all.
  callback_endpoints: { service_role: [], authenticated: 'nothing' },
  user_credentials: { service_role: [], authenticated: 'nothing' },
};

/**
 * Functions of schema public that a signed-in user may call: each asks who that is. Those for operators begin with
 * `operator_`, and refuse who has no `app_metadata.role` of `job_operator`. All others are for `service_role` alone.
 */
export const forSignedIn: readonly string[] = ['get_signed_in_user', 'start_analysis'];

export const isForOperators = (functionName: string): boolean => functionName.startsWith('operator_');

/** Columns of `background_jobs` that are for `service_role` alone: what is in a job, and the lease, which is a capability. */
export const closedJobColumns = ['payload', 'result', 'error', 'callback_url', 'lease_token'] as const;

function every(access: Access, names: readonly string[]): Record<string, Access> {
  return Object.fromEntries(names.map((name) => [name, access]));
}
