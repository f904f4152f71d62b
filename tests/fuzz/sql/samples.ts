import type { JsonValue } from '../values/json-tree.ts';
import type { Known } from './argument.ts';

/**
 * What honest callers send, by function and argument, to be spoiled in single places: of a call that is wrong throughout,
 * a function sees little.
 */
export function samplesOf({ uuids }: Known): Record<string, Record<string, JsonValue[]>> {
  const [id = '', other = ''] = uuids;
  const leases = uuids.map((token): JsonValue => ({ job_id: id, lease_token: token }));
  const time = '2026-11-22T12:00:00Z';
  const job = {
    ...{
      type: 'fuzz/a',
      payload: { n: 1 },
      lane: 'edge',
      priority: 1,
      run_at: time,
      expires_at: '2026-11-29T12:00:00Z',
    },
    ...{
      max_retries: 3,
      timeout_seconds: 60,
      idempotency_key: 'new',
      concurrency_key: 'key',
      concurrency_limit: 2,
    },
    ...{ inngest_event_id: 'event', inngest_run_id: 'run', repository_id: other, depends_on: [id] },
    ...{ on_parent_failure: 'run', callback_url: 'https://hooks.example.com/jobs/done' },
  };
  const page = {
    fetched_at: time,
    repository: {
      github_id: 1,
      owner: 'octo-org',
      name: 'known',
      private: false,
      fork: false,
      archived: false,
      stargazers_count: 1,
    },
    contributors: [{ github_id: 1, username: 'ada', account_type: 'User', is_bot: false, avatar_url: null }],
  };
  const pullRequest = {
    ...{
      github_id: 2,
      author_github_id: 1,
      number: 2,
      title: 'two',
      state: 'open',
      draft: false,
      merged: false,
    },
    ...{ base_branch: 'main', head_branch: 'two', additions: 1, created_at: time, updated_at: time },
  };
  const issue = {
    github_id: 3,
    author_github_id: 1,
    number: 3,
    title: 'three',
    state: 'open',
    created_at: time,
    updated_at: time,
  };
  const comment = {
    ...{
      github_id: 4,
      comment_type: 'issue_comment',
      pull_request_github_id: 2,
      commenter_github_id: 1,
      body: 'four',
    },
    ...{ created_at: time, updated_at: time },
  };
  const definition = {
    type: 'fuzz/a',
    title: 'A',
    lane: 'edge',
    timeout_seconds: 60,
    max_retries: 1,
    priority: 0,
    cron: ['* * * * *'],
  };
  return {
    enqueue_background_jobs: { jobs: [[job], [{ type: 'fuzz/a' }, job]] },
    begin_background_job: { job: [job, { type: 'system/ping', payload: {} }] },
    complete_background_jobs: {
      results: leases.map((lease) => [{ ...(lease as object), result: { n: 1 }, enqueue: [job] }]),
    },
    complete_job_batch: { results: [[{ n: 1 }], [null, 2]] },
    heartbeat_background_jobs: { leases: leases.map((lease) => [lease, lease]) },
    fail_background_job: { error: [{ name: 'Error', message: 'boom', stack: 'at' }] },
    sync_job_types: { definitions: [[definition]] },
    sync_job_schedules: { definitions: [[definition]] },
    upsert_capture_page: {
      page: [{ ...page, pull_requests: [pullRequest], issues: [issue], comments: [comment] }],
    },
    upsert_pull_requests_page: { page: [{ ...page, pull_requests: [pullRequest] }] },
    upsert_issues_page: { page: [{ ...page, issues: [issue] }] },
  };
}
