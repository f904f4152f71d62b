import { lease, type TestQueue } from './test-queue.ts';

export interface Death {
  /** As `dead_letter_jobs` names it. */
  reason: string;
  /** Makes a job of type `test/dead` fail for good. @returns its id */
  die: (queue: TestQueue) => Promise<string>;
  /** What `explain_background_job` says then. */
  explained: RegExp;
}

const type = 'test/dead';

async function spend(queue: TestQueue): Promise<string> {
  const job = await queue.running({ type, max_retries: 1 });
  await queue.fail(job, { retryAfter: 0 });
  const [again] = await queue.claim({ types: [type] });
  await queue.fail(again!);
  return job.id;
}

async function giveUp(queue: TestQueue): Promise<string> {
  const job = await queue.running({ type });
  await queue.fail(job, { retryable: false });
  return job.id;
}

async function crash(queue: TestQueue): Promise<string> {
  const job = await queue.running({ type, max_retries: 0 });
  await queue.expireLeases(job.id);
  await queue.sql('select sweep_background_jobs()');
  return job.id;
}

async function expire(queue: TestQueue): Promise<string> {
  const [id = ''] = await queue.enqueue({ type, expires_at: '2020-01-01T00:00:00Z' });
  await queue.sql('select sweep_background_jobs()');
  return id;
}

async function loseParent(queue: TestQueue): Promise<string> {
  const parent = await queue.running({ type: 'system/parent' });
  const [id = ''] = await queue.enqueue({ type, depends_on: [parent.id], on_parent_failure: 'fail' });
  await queue.fail(parent, { retryable: false });
  return id;
}

async function setByHand(queue: TestQueue): Promise<string> {
  const job = await queue.running({ type });
  await queue.sql(`update background_jobs set status = 'failed', error = 'not wanted' where id = $1`, [
    job.id,
  ]);
  await queue.complete(lease(job));
  return job.id;
}

/** Every way in which a job can fail for good. */
export const deaths: Death[] = [
  { reason: 'retries_spent', die: spend, explained: /^dead because its 1 retries are spent: boom$/ },
  {
    reason: 'non_retryable',
    die: giveUp,
    explained: /^dead because another attempt would fail in the same way: boom$/,
  },
  {
    reason: 'crashed',
    die: crash,
    explained: /^dead because its process died and its 0 retries are spent: the lease of w1 expired/,
  },
  { reason: 'expired', die: expire, explained: /^dead because it expired at 2020-/ },
  {
    reason: 'dependency_failed',
    die: loseParent,
    explained: /^dead because a job that it depends on did not complete: job .* failed: boom$/,
  },
  { reason: 'operator', die: setByHand, explained: /^dead because somebody set it to failed: not wanted$/ },
];
