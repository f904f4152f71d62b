import type { TestDatabase } from '../support/database.ts';

export interface OldClaim {
  id: string;
  type: string;
  lease_token: string;
  steps: Record<string, unknown>;
}

/** The queue as the first release called it: these functions, with these arguments. */
export function createOldClient({ rpc }: Pick<TestDatabase, 'rpc'>) {
  const lease = (job: OldClaim) => ({ job_id: job.id, lease_token: job.lease_token });
  return {
    async enqueue(...jobs: object[]): Promise<string[]> {
      const rows = await rpc<{ id: string; created: boolean }[]>('enqueue_background_jobs', { jobs });
      return rows.map(({ id }) => id);
    },
    begin: (job: object) =>
      rpc<{ id: string; lease_token: string; run: boolean }[]>('begin_background_job', {
        ...{ job, worker: 'old inngest-hybrid', lease_seconds: 60 },
      }),
    claim: (lane: string, types: string[] | null = null, maxJobs = 100) =>
      rpc<OldClaim[]>('claim_background_jobs', {
        ...{ lane, worker: 'old worker', max_jobs: maxJobs, lease_seconds: 60, fit_seconds: null, types },
      }),
    claimOne: (jobId: string) =>
      rpc<OldClaim[]>('claim_background_job', { job_id: jobId, worker: 'old worker', lease_seconds: 60 }),
    heartbeat: (jobs: readonly OldClaim[]) =>
      rpc<{ job_id: string; state: string }[]>('heartbeat_background_jobs', {
        ...{ leases: jobs.map(lease), lease_seconds: 60 },
      }),
    async complete(...jobs: OldClaim[]): Promise<boolean[]> {
      const results = jobs.map((job) => ({ ...lease(job), result: { by: 'old worker' } }));
      const rows = await rpc<{ accepted: boolean }[]>('complete_background_jobs', { results });
      return rows.map(({ accepted }) => accepted);
    },
    fail: (job: OldClaim, retryable: boolean, retryAfterSeconds: number | null = null) =>
      rpc<string | null>('fail_background_job', {
        ...lease(job),
        error: { name: 'Error', message: 'GitHub answered 502' },
        retryable,
        retry_after_seconds: retryAfterSeconds,
      }),
    snooze: (job: OldClaim, until: Date) =>
      rpc<string | null>('snooze_background_job', {
        ...lease(job),
        until: until.toISOString(),
        reason: 'quota',
      }),
    handOff: (job: OldClaim) => rpc<string | null>('hand_off_background_job', lease(job)),
    saveStep: (job: OldClaim, name: string, output: unknown) =>
      rpc<boolean>('save_background_job_step', { ...lease(job), name, output }),
    reportProgress: (job: OldClaim, percent: number) =>
      rpc<boolean>('report_background_job_progress', { ...lease(job), percent, message: 'at work' }),
    cancel: (jobId: string) => rpc<boolean>('cancel_background_job', { job_id: jobId, reason: 'not needed' }),
    retry: (jobId: string) => rpc<boolean>('retry_failed_job', { job_id: jobId, force: true }),
    sweep: () => rpc<{ lane: string; rescued: number }[]>('sweep_background_jobs', {}),
    explain: (jobId: string) => rpc<string>('explain_background_job', { job_id: jobId }),
    syncTypes: (definitions: object[]) => rpc<null>('sync_job_types', { definitions }),
    pause: (type: string) => rpc<null>('pause_job_type', { type }),
    resume: (type: string) => rpc<null>('resume_job_type', { type }),
    setLane: (type: string, lane: string | null) => rpc<null>('set_job_lane', { type, lane }),
  };
}

export type OldClient = ReturnType<typeof createOldClient>;
