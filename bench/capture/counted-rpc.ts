import type { UncheckedRpc } from '../../src/database/rpc.ts';

/** Calls of SQL functions, by what they are for. After the first call of a function each is one round trip. */
export interface RoundTrips {
  /** Look-ups, upserts, step saves and progress: what the job itself does. */
  job: number;
  /** Its outcome, which the queue writes together with those of other jobs that end at the time. */
  completion: number;
  /** What is left of GitHub's quota: at most one write a second for all jobs of a process. */
  quota: number;
}

const purpose: Record<string, keyof RoundTrips> = {
  complete_job_batch: 'completion',
  complete_background_jobs: 'completion',
  report_job_quotas: 'quota',
};

export interface CountedRpc {
  rpc: UncheckedRpc;
  /** Names of the functions called since the last call, in that order. */
  take(): string[];
}

export function countCalls(rpc: UncheckedRpc): CountedRpc {
  let calls: string[] = [];
  return {
    rpc: (name, args, options) => {
      calls.push(name);
      return rpc(name, args, options);
    },
    take() {
      const taken = calls;
      calls = [];
      return taken;
    },
  };
}

export function roundTrips(calls: readonly string[]): RoundTrips {
  const counts = { job: 0, completion: 0, quota: 0 };
  for (const name of calls) counts[purpose[name] ?? 'job'] += 1;
  return counts;
}
