import { type ParsedCronItem, parseCronItems, type TaskList } from 'graphile-worker';
import { prune, type PruneOptions } from './prune.ts';
import { evaluateSchedules, type ScheduleOptions } from './schedules.ts';

const day = 86_400_000;

export type TaskOptions = ScheduleOptions & PruneOptions;

/** A key of its own for each task: turns that nobody took do not pile up. */
export function crontab(): ParsedCronItem[] {
  return parseCronItems([
    {
      task: 'prune_background_jobs',
      match: '17 3 * * *',
      identifier: 'prune',
      options: { backfillPeriod: day, jobKey: 'prune_background_jobs' },
    },
    {
      task: 'evaluate_job_schedules',
      match: '* * * * *',
      identifier: 'schedules',
      // The next minute's turn is its retry.
      options: { backfillPeriod: 0, jobKey: 'evaluate_job_schedules', maxAttempts: 1 },
    },
  ]);
}

/** @param stopping - from its abort on a long task ends at its next portion */
export function taskList(options: TaskOptions, stopping: AbortSignal): TaskList {
  return {
    async prune_background_jobs() {
      await prune(options, stopping);
    },
    async evaluate_job_schedules() {
      const created = await evaluateSchedules(options);
      if (created > 0) options.log.info({ created }, 'scheduled jobs enqueued');
    },
  };
}
