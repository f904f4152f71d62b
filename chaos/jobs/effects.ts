import type { UncheckedRpc } from '../../src/database/rpc.ts';
import type { JobContext } from '../../src/jobs/job-context.ts';

type Context = Pick<JobContext<unknown>, 'jobId' | 'rpc'>;

/** One run of a job: what it does to the world, the ledger knows by the run's name. */
export interface Run {
  /** An effect that may happen once: its key is the job and the step. */
  effect(step: string): Promise<void>;
}

/** Tells the ledger that a run of the job has begun. */
export async function beginRun({ jobId, rpc }: Context): Promise<Run> {
  // The ledger's functions are no part of the product: the compiler does not know them.
  const call = rpc as UncheckedRpc;
  const run = crypto.randomUUID();
  await call('chaos_begin', { job_id: jobId, run });
  return {
    effect: (step) => call('chaos_effect', { job_id: jobId, step, run }),
  };
}
