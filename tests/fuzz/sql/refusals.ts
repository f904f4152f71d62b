import pg from 'pg';

/** The functions' own refusals, which name the argument. */
const ownRefusal = /^PT4\d\d$/;

/** What Postgres says of a value that a column cannot hold: data exceptions, broken constraints, too long for an index. */
const aboutRows = /^(2[23]...|54000)$/;

/**
 * Functions whose JSON holds rows of tables, which only our own jobs and deploys send. Whether a value fits its column,
 * Postgres says, for the whole call: nothing of it is written, and the job that sent it
 * is not retried (`blamesData` in src/queue/persist.ts).
 */
const rowReaders = new Set([
  'note_details_synced',
  'record_repository_sizes',
  'store_analysis_commits',
  'store_analysis_files',
  'sync_job_schedules',
  'sync_job_types',
  'upsert_capture_page',
  'upsert_discussions_page',
  'upsert_issues_page',
  'upsert_pull_requests_page',
]);

/** Whether a function may end like this, whatever it was called with. */
export function isRefusal(functionName: string, error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  const code = error.code ?? '';
  return ownRefusal.test(code) || (rowReaders.has(functionName) && aboutRows.test(code));
}
