import type { JobMonitorClient } from './client.ts';
import { answerOf } from './operator-error.ts';
import type {
  AuditRow,
  JobDetails,
  JobFilter,
  JobPage,
  JobTypeRow,
  Json,
  Lane,
  NewJob,
  Overview,
  QuotaRow,
  ScheduleRow,
  ThroughputRow,
} from './rows.ts';

/** Jobs that one call of the list brings. */
const JOBS_PER_PAGE = 200;

/** Lines of the audit trail that one call brings. */
export const AUDIT_PER_PAGE = 100;

/** What an operator may see and do, as typed calls. Each throws OperatorError. */
export type Operator = ReturnType<typeof createOperator>;

export function createOperator(client: JobMonitorClient) {
  async function call<Data>(name: string, args: Record<string, unknown> = {}): Promise<Data> {
    return answerOf<Data>(name, await client.rpc(name, args));
  }
  return {
    overview: () => call<Overview>('operator_overview'),
    throughput: (minutes: number) => call<ThroughputRow[]>('operator_throughput', { minutes }),
    jobs: (filter: JobFilter, after: Json) =>
      call<JobPage>('operator_jobs', { filter, page_size: JOBS_PER_PAGE, after }),
    job: (id: string) => call<JobDetails | null>('operator_job', { job_id: id }),
    jobTypes: () => call<JobTypeRow[]>('operator_job_types'),
    schedules: () => call<ScheduleRow[]>('operator_schedules'),
    quotas: () => call<QuotaRow[]>('operator_quotas'),
    audit: (before: string | null) =>
      call<AuditRow[]>('operator_audit', { page_size: AUDIT_PER_PAGE, before }),

    retry: (id: string, force: boolean) => call<boolean>('operator_retry_job', { job_id: id, force }),
    cancel: (id: string, reason: string | null) =>
      call<boolean>('operator_cancel_job', { job_id: id, reason }),
    redrive: (type: string | null, maxJobs: number) =>
      call<number>('operator_redrive', { type, max_jobs: maxJobs }),
    discard: (type: string | null, maxJobs: number) =>
      call<number>('operator_discard', { type, max_jobs: maxJobs }),
    pause: (type: string) => call<null>('operator_pause_type', { type }),
    resume: (type: string) => call<null>('operator_resume_type', { type }),
    setLane: (type: string, lane: Lane | null) => call<null>('operator_set_lane', { type, lane }),
    enqueue: (job: NewJob) =>
      call<{ id: string; status: string; created: boolean }>('operator_enqueue', { job }),
    pauseSchedule: (name: string) => call<boolean>('operator_pause_schedule', { name }),
    resumeSchedule: (name: string) => call<boolean>('operator_resume_schedule', { name }),
    removeSchedule: (name: string) => call<boolean>('operator_remove_schedule', { name }),
    setSchedule: (schedule: { name: string; type: string; cron: string; timezone: string; payload: Json }) =>
      call<boolean>('operator_set_schedule', schedule),
  };
}
