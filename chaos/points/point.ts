/** A place in the code of a process where it may die: right before or after its n-th call of a function. */
export interface Point {
  /** A SQL function, or `process-job` for the wake call. */
  call: string;
  when: 'before' | 'after';
  /** From 1; counted from the moment when the process hears of it. */
  nth: number;
}

/** Who may die at a point. */
export type Role = 'worker' | 'deno' | 'gateway' | 'netlify';

/** Points by who passes them. The effect of a job is a call of its own: `call_under_lease`. */
export const callsOf: Record<Role, readonly string[]> = {
  worker: [
    'claim_job_batch',
    'call_under_lease',
    'save_background_job_step',
    'complete_job_batch',
    'complete_background_jobs',
    'fail_background_job',
    'heartbeat_background_jobs',
    'sweep_background_jobs',
  ],
  deno: [
    'claim_job_batch',
    'call_under_lease',
    'save_background_job_step',
    'complete_job_batch',
    'heartbeat_background_jobs',
  ],
  gateway: [
    'claim_job_batch',
    'call_under_lease',
    'save_background_job_step',
    'complete_job_batch',
    'enqueue_background_jobs',
    'begin_background_job',
  ],
  netlify: [
    'begin_background_job',
    'call_under_lease',
    'complete_job_batch',
    'enqueue_background_jobs',
    'process-job',
  ],
};
