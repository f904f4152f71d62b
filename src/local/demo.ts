import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { JobQueue, JobRow } from '../queue/job-queue.ts';
import { createInngestExecutor, type InngestExecutor, type RunEnd } from './inngest-executor.ts';
import { runSql } from './sql-console.ts';

export interface DemoOptions {
  /** `inngest-hybrid`, in development mode. */
  inngestUrl: string;
  databaseUrl: string;
  queue: Pick<JobQueue, 'get' | 'explain'>;
  /** `owner/name` on GitHub or its stand-in. */
  repository: string;
  print: (text: string) => void;
  /** How long the edge job may take, in seconds. Default: 180. */
  patienceSeconds?: number;
}

/** A demo event did not end in a completed job. */
class DemoError extends Error {
  override readonly name = 'DemoError';
}

/**
 * Sends a quick, a long and a middling event through the real HTTP endpoint, as Inngest would, and ends with the
 * tables that an operator would query.
 *
 * @throws {DemoError} a job failed or took too long
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { inngestUrl, databaseUrl, repository, print } = options;
  const inngest = createInngestExecutor({
    url: inngestUrl,
    onProgress: ({ kind, detail }) => print(`  ${kind}: ${detail}`),
  });
  const run = async (name: string, data: object) => await jobEnds(await send(inngest, name, data), options);
  print('\nA quick event: system/ping, run inside the request');
  const ping = await run('system/ping', { hello: 'world' });
  print(`\nA long event: capture/repository.sync.graphql of ${repository}, run by process-job in Deno`);
  const sync = await run('capture/repository.sync.graphql', { repository, force: true });
  const prNumber = await newestPullRequest(options);
  print(
    `\nAn event in between: capture/pr.details of ${repository}#${prNumber}, short enough for the request`,
  );
  const details = await run('capture/pr.details', { repository, prNumber, force: true });
  print('\nWhat an operator sees:');
  for (const sql of operatorQueries([ping, sync, details])) {
    print(`\n${sql}`);
    await runSql(databaseUrl, sql, print);
  }
}

interface Receipt {
  jobId: string;
  isDone: boolean;
}

async function send(inngest: InngestExecutor, name: string, data: object): Promise<Receipt> {
  const [run]: (RunEnd | undefined)[] = await inngest.send({ name, data });
  if (!run) throw new DemoError(`${name}: inngest-hybrid serves no function for this event`);
  const output = run.output as { jobId?: string; status?: string; error?: string; message?: string } | null;
  if (run.status === 'failed' || !output?.jobId)
    throw new DemoError(`${name} ${run.status}: ${output?.message ?? JSON.stringify(output)}`);
  if (output.status === 'failed') throw new DemoError(`${name} failed: ${output.error ?? 'no reason given'}`);
  return { jobId: output.jobId, isDone: output.status === 'completed' };
}

/** Shows what changes in the row until a job that did not run inside the request is done. @returns its id */
async function jobEnds({ jobId, isDone }: Receipt, options: DemoOptions): Promise<string> {
  if (!isDone) await edgeJobEnds(jobId, options);
  return jobId;
}

async function edgeJobEnds(jobId: string, options: DemoOptions): Promise<void> {
  const { queue, print, patienceSeconds = 180 } = options;
  const giveUpAt = Date.now() + patienceSeconds * 1000;
  for (let shown = ''; ; await sleep(200)) {
    const row = await queue.get(jobId);
    if (!row) throw new DemoError(`the row of job ${jobId} is gone`);
    const line = progressOf(row);
    if (line !== shown) print(`  ${line}`);
    shown = line;
    if (row.status === 'completed') return print(`  result: ${JSON.stringify(row.result)}`);
    if (row.status === 'failed' || row.status === 'cancelled')
      throw new DemoError(`job ${jobId} ${row.status}: ${row.error ?? 'no reason given'}`);
    if (Date.now() > giveUpAt)
      throw new DemoError(
        `job ${jobId} is not done after ${patienceSeconds} s: ${await queue.explain(jobId)}`,
      );
  }
}

function progressOf({ status, progress, progressMessage, durationMs, error }: JobRow): string {
  if (status === 'completed') return `${status} in ${durationMs} ms`;
  const percent = progress === null ? '' : ` ${progress} %`;
  const message = error ?? progressMessage;
  return `${status}${percent}${message ? `, ${message}` : ''}`;
}

async function newestPullRequest({ databaseUrl, repository }: DemoOptions): Promise<number> {
  const [owner, name] = repository.split('/');
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ number: number }>(
      `select p.number from pull_requests p join repositories r on r.id = p.repository_id
       where lower(r.owner) = lower($1) and lower(r.name) = lower($2) order by p.number desc limit 1`,
      [owner, name],
    );
    if (!rows[0])
      throw new DemoError(`${repository} has no pull request to capture: try another --repository`);
    return rows[0].number;
  } finally {
    await client.end();
  }
}

function operatorQueries(jobIds: readonly string[]): string[] {
  const ids = jobIds.map((id) => `'${id}'`).join(', ');
  return [
    `select id, type, lane, status, retry_count, duration_ms, result\nfrom background_jobs where id in (${ids}) order by created_at;`,
    `select job_id, number, lane, outcome, error->>'message' as error\nfrom background_job_attempts where job_id in (${ids});`,
    'select * from get_job_statistics_summary();',
    `select r.owner || '/' || r.name as repository, p.state, count(*) as pull_requests\nfrom pull_requests p join repositories r on r.id = p.repository_id group by 1, 2 order by 1, 2;`,
  ];
}
