import { DatabaseUnreachableError, SchemaOutdatedError } from '../database/rpc.ts';
import type { ClaimedJob, JobRow } from '../queue/job-queue.ts';
import type { Outcome } from '../queue/outcome.ts';
import { BadRequest, type Command, readCommand } from './command.ts';
import { createIsolate, type IsolateOptions } from './isolate.ts';
import { createKeyCheck } from './key-check.ts';
import { createLateJobs, type Jobs } from './late-jobs.ts';

export interface ProcessJobOptions extends Omit<IsolateOptions, 'definitionOf' | 'github'> {
  /** Called when the first jobs are claimed, and again only after a failure. */
  loadJobs: () => Promise<Jobs>;
  /** Any of these keys opens the endpoint. */
  acceptedKeys: readonly string[];
  /** The host's limit for the first byte of an answer. Default: 150. */
  firstResponseSeconds?: number;
}

export interface ProcessJob {
  /** Answers a request; never rejects. */
  handle(request: Request): Promise<Response>;
  /** For `beforeunload`: running jobs hand off, leases are released, another isolate is woken. */
  release(): Promise<void>;
}

/** The HTTP side of the edge lane: `process-job` as a web-standard handler. */
export function createProcessJobHandler(options: ProcessJobOptions): ProcessJob {
  const { log, now, worker, leaseSeconds, firstResponseSeconds = 150 } = options;
  const hasKey = createKeyCheck(options.acceptedKeys);
  const lateJobs = createLateJobs(options);
  const { queue } = lateJobs;
  const isolate = createIsolate({ ...options, ...lateJobs });
  let typesSynced = false;

  async function handle(request: Request): Promise<Response> {
    try {
      if (request.method !== 'POST')
        return answer(405, { error: `expected POST, got ${request.method}` }, { allow: 'POST' });
      if (!(await hasKey(request))) return unauthorized();
      const command = await readCommand(request);
      // After the first claim, which somebody waits for.
      return await obey(command).finally(syncTypesOnce);
    } catch (error) {
      return refuse(error);
    }
  }

  async function obey(command: Command): Promise<Response> {
    if (command.kind === 'drain') return await drain();
    if (!isolate.takesJobs())
      return answer(503, { error: 'this instance is about to end, try again' }, { 'retry-after': '1' });
    const claimedAt = now();
    const job = await queue.claimOne(command.jobId, worker, leaseSeconds);
    if (!job) return await explainRefusal(command.jobId);
    if (command.kind === 'run-immediately') return await runWhileWaiting(job, claimedAt);
    void isolate.run(job, claimedAt);
    return answer(202, { jobId: job.id, status: 'processing' });
  }

  async function drain(): Promise<Response> {
    const jobs = await isolate.drain();
    if (jobs?.length === 0) return answer(200, { message: 'No jobs in queue', jobs: [] });
    const started = (jobs ?? []).map(({ id, type }) => ({ jobId: id, type }));
    return answer(202, { status: 'processing', jobs: started });
  }

  async function explainRefusal(jobId: string): Promise<Response> {
    const row = await queue.get(jobId);
    if (!row) return answer(404, { jobId, error: 'no such job' });
    return answer(409, { jobId, status: row.status, reason: await queue.explain(jobId) });
  }

  async function runWhileWaiting(job: ClaimedJob, claimedAt: Date): Promise<Response> {
    const outcome = await isolate.run(job, claimedAt, firstResponseSeconds);
    const row = outcome.kind === 'lost' ? await queue.get(job.id) : null;
    const durationMs = now().getTime() - claimedAt.getTime();
    return answer(200, { jobId: job.id, ...report(outcome, row), durationMs });
  }

  /** SQL learns of this deployment's job kinds; nothing waits for it. */
  function syncTypesOnce(): void {
    if (typesSynced) return;
    typesSynced = true;
    options.waitUntil(
      syncTypes().catch((error: unknown) => {
        typesSynced = false;
        log.warn({ error: String(error) }, 'could not sync job types');
      }),
    );
  }

  async function syncTypes(): Promise<void> {
    const { catalog } = await lateJobs.loaded();
    await queue.syncJobTypes(catalog);
  }

  function refuse(error: unknown): Response {
    if (error instanceof BadRequest)
      return answer(error.status, { error: error.message, field: error.field });
    if (error instanceof DatabaseUnreachableError) {
      log.error({ error: String(error) }, 'database unreachable');
      return answer(503, { error: 'the database is unreachable' }, { 'retry-after': '10' });
    }
    log.error({ error: String(error) }, 'request failed');
    if (error instanceof SchemaOutdatedError)
      return answer(503, { error: error.message }, { 'retry-after': '60' });
    return answer(500, { error: 'internal error' });
  }

  return { handle, release: () => isolate.release() };
}

/** The attempt's end as the caller reads it: everything but a completed job carries an `error` that says why. */
function report(outcome: Outcome, row: JobRow | null): { status: string; result: unknown; error?: string } {
  switch (outcome.kind) {
    case 'complete':
      return { status: 'completed', result: outcome.result };
    case 'retry':
      return { status: 'queued', result: null, error: outcome.error.message };
    case 'failed':
      return { status: 'failed', result: null, error: outcome.error.message };
    case 'snooze':
      return {
        status: 'queued',
        result: null,
        error: `snoozed until ${outcome.until.toISOString()}: ${outcome.reason}`,
      };
    case 'hand-off':
      return { status: 'queued', result: null, error: 'handed off: it continues in the background' };
    case 'cancelled':
      return { status: 'cancelled', result: null, error: 'cancelled on request' };
    case 'lost':
      // The completion may have been written and its answer lost.
      if (row?.status === 'completed') return { status: 'completed', result: row.result };
      return {
        status: row?.status ?? 'deleted',
        result: null,
        error: row?.error ?? 'the lease was lost while the job ran',
      };
  }
}

function unauthorized(): Response {
  const error = 'expected a valid key in the header authorization (Bearer …) or apikey';
  return answer(401, { error }, { 'www-authenticate': 'Bearer' });
}

function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...headers } });
}
