import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPgRpc } from '../src/database/pg-rpc.ts';
import type { Rpc } from '../src/database/rpc.ts';
import { createGitHub } from '../src/github/create-github.ts';
import type { GitHub } from '../src/github/github.ts';
import { catalog } from '../src/jobs/catalog.ts';
import type { Lane } from '../src/jobs/define-job.ts';
import { startGitHubStandIn, type GitHubStandIn } from '../src/local/github/stand-in.ts';
import { drain } from '../src/queue/drain.ts';
import { findDefinition, indexDefinitions } from '../src/queue/find-definition.ts';
import { createJobQueue, type JobRow } from '../src/queue/job-queue.ts';
import { createPerformHost } from '../src/queue/perform-host.ts';
import { createRouter } from '../src/router/router.ts';
import { createOutsideHttp } from '../src/runtime/outside-http.ts';
import { captureCases, labelOf, notCaptures, type CaptureCase } from './capture/capture-cases.ts';
import { clear, storedRows } from './capture/stored-rows.ts';
import { expectSoundQueue } from './support/database.ts';
import { openBehindGateway, type OpenDriver } from './support/drivers.ts';
import { noOpenAi } from './support/no-openai.ts';
import { silentLogger } from './support/silent-logger.ts';

/**
 * A job is one file, whatever lane it runs on: here each job runs on every lane that it may run on, as that lane's host
 * runs it (inline and edge over HTTP, the worker over TCP), and must end in the same way with the same rows.
 */

const http = createOutsideHttp();
const repository = 'octo-org/lanes';
const recipe = { owner: 'octo-org', name: 'lanes', pullRequests: 55, issues: 12, discussions: 6, seed: 7 };

let database: OpenDriver;
let standIn: GitHubStandIn;
let github: GitHub;

beforeAll(async () => {
  database = await openBehindGateway();
  standIn = await startGitHubStandIn({ repositories: [recipe], now: Date.parse('2026-11-01T00:00:00Z') });
  github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger });
});

afterAll(async () => {
  await standIn.close();
  await database.close();
});

/** A queued lane as its host works on it: until nothing is claimable. */
async function runQueued(lane: 'edge' | 'worker', rpc: Rpc, type: string, payload: unknown): Promise<JobRow> {
  const queue = createJobQueue(rpc);
  const [job] = await queue.enqueue([{ type, payload, lane }]);
  const soon = new Date(Date.now() + 60_000);
  const host = createPerformHost({
    ...{
      queue,
      rpc,
      http,
      definitionOf: indexDefinitions(catalog),
      github: () => github,
      openai: noOpenAi,
      log: silentLogger,
      now: () => new Date(),
    },
    leaseSeconds: 60,
    stopStepsAt: soon,
    deadline: soon,
    shutdown: new AbortController().signal,
  });
  await drain({ host, lane, worker: 'test', concurrency: 1, stopClaimingAt: soon, types: [type] });
  return await rowOf(rpc, job?.id);
}

async function runInline(rpc: Rpc, type: string, payload: unknown): Promise<JobRow> {
  const router = createRouter({
    ...{
      // Its limits are Inngest's business: without them it runs here, too.
      catalog: catalog.map((each) =>
        each.type === type ? { ...each, concurrency: null, throttle: null } : each,
      ),
      rpc,
      http,
      inngestEvents: null,
      queue: createJobQueue(rpc),
      github: () => github,
      openai: noOpenAi,
      log: silentLogger,
      now: () => new Date(),
    },
    laneOf: (definition) => Promise.resolve(definition.lane),
    wake: () => Promise.resolve({ woken: true }),
    inlineBudgetSeconds: 60,
  });
  return await rowOf(rpc, (await router.dispatch({ name: type, data: payload })).jobId);
}

async function rowOf(rpc: Rpc, id: string | undefined): Promise<JobRow> {
  const row = await createJobQueue(rpc).get(id ?? '');
  if (!row) throw new Error(`there is no row of job ${id}`);
  return row;
}

const runs: Record<Lane, (type: string, payload: unknown) => Promise<JobRow>> = {
  inline: (type, payload) => runInline(database.rpc, type, payload),
  edge: (type, payload) => runQueued('edge', database.rpc, type, payload),
  worker: (type, payload) => runQueued('worker', createPgRpc(database.pool), type, payload),
};

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** Our own ids differ from run to run. */
const withoutIds = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll(uuid, 'an id'));

type Runnable = Pick<CaptureCase, 'type' | 'prepare' | 'variant'> & { payloads: () => unknown[] };

/** What is left of the job on this lane: how its runs ended, and the captured rows. */
async function outcomeOn(lane: Lane, { type, payloads, prepare }: Runnable): Promise<unknown> {
  const opened = { ...database, url: '' };
  await clear(opened);
  await prepare?.(opened, standIn.data);
  const ends = [];
  for (const payload of payloads()) {
    const { status, error, result, retryCount } = await runs[lane](type, payload);
    ends.push({ status, error, result, retryCount });
  }
  await expectSoundQueue(database.pool);
  return withoutIds({ ends, rows: await storedRows(opened) });
}

const known = () => {
  const found = standIn.data.repository(repository);
  if (!found) throw new Error('the stand-in has lost the repository');
  return found;
};

const captures: Runnable[] = captureCases.map((capture) => ({
  ...capture,
  payloads: () => [...capture.payloads(known()), { repository: 42 }],
}));
const others: Runnable[] = Object.keys(notCaptures).map((type) => ({
  type,
  payloads: () => [{ repository, prNumber: 1 }, { repository: 42 }],
}));
const anId = '0194f3c2-7c1a-7000-8000-000000000001';
const embeddings: Runnable[] = [
  {
    type: 'embeddings/compute.requested',
    payloads: () => [{}, { items: [{ type: 'wiki', id: anId }] }, { similarities: true }],
  },
  { type: 'embedding/issue.generate', payloads: () => [{ issueId: anId }, { issueId: 7 }] },
  { type: 'embedding/pr.generate', payloads: () => [{ prId: anId }, {}] },
  { type: 'embedding/batch.process', payloads: () => [{ items: [{ type: 'pr', id: anId }] }, { items: [] }] },
  { type: 'similarity/repository.recalculate', payloads: () => [{ repository }, { repository: 42 }] },
];
/** Of one user, with the platform's token. */
const analysis = {
  jobId: '0199aaaa-0000-7000-8000-000000000001',
  userId: '0199aaaa-0000-7000-8000-000000000002',
  repoId: '0199aaaa-0000-7000-8000-000000000003',
};
const analyses: Runnable[] = [
  {
    type: 'repo/analyze.requested',
    payloads: () => [analysis, analysis, { jobId: 7 }],
    prepare: async ({ pool }) => {
      const { jobId, userId, repoId } = analysis;
      await pool.query('insert into repositories (id, github_id, owner, name) values ($1, $2, $3, $4)', [
        ...[repoId, known().fields.databaseId, 'octo-org', 'lanes'],
      ]);
      await pool.query('insert into analysis_jobs (id, user_id, repository_id) values ($1, $2, $3)', [
        ...[jobId, userId, repoId],
      ]);
    },
  },
];
const system: Runnable[] = [
  { type: 'system/jobs.sweep', payloads: () => [{}] },
  { type: 'system/job.failed', payloads: () => [{ jobId: crypto.randomUUID() }] },
  { type: 'system/callback.deliver', payloads: () => [{ jobId: crypto.randomUUID() }] },
  {
    type: 'system/job.finished',
    payloads: () => [
      { jobId: crypto.randomUUID(), type: 'test/awaited', status: 'completed' },
      { status: 'lost' },
    ],
  },
  // Of these only the refusals are the same everywhere: the local model is on one lane alone.
  { type: 'embeddings.generate', payloads: () => [{}, { items: [] }] },
  { type: 'embeddings/batch.generate', payloads: () => [{ maxItems: 0 }] },
  { type: 'system/ping', payloads: () => [{ hello: 'lanes' }] },
  {
    type: 'system/jobs.cancel',
    payloads: () => [{ reason: 'user_requested', eventId: 'unknown' }, { reason: 7 }],
  },
];

const workspaceId = '018f0000-0000-7000-8000-000000000001';
const inWorkspace = (type: string, payloads: unknown[]): Runnable => ({
  type,
  payloads: () => payloads,
  prepare: async ({ pool }) => {
    await pool.query(
      `insert into workspaces (id, name, slug) values ($1, 'Lanes', 'lanes') on conflict do nothing`,
      [workspaceId],
    );
  },
});
const workspaces: Runnable[] = [
  inWorkspace('workspace.metrics.aggregate', [{ workspaceId }, { workspaceId: 42 }]),
  inWorkspace('workspace.repository.changed', [{ workspaceId, repository }, { workspaceId }]),
  inWorkspace('workspace.metrics.schedule', [{}, { maxWorkspaces: 0 }]),
  inWorkspace('workspace.metrics.cleanup', [{}, { keepDays: 1 }]),
];

describe('a job ends in the same way on every lane', () => {
  const listed = [...captures, ...others, ...embeddings, ...workspaces, ...analyses, ...system];
  const types = new Set(listed.map(({ type }) => type));
  /** Jobs that no list names yet, such as those made by `npm run jobs -- new`. */
  const unlisted: Runnable[] = catalog
    .filter(({ type }) => !types.has(type))
    .map(({ type }) => ({ type, payloads: () => [{ name: 'lanes' }, {}] }));
  const jobs = [...listed, ...unlisted];

  it.each(jobs.map((job) => ({ job, label: labelOf(job) })))('$label', async ({ job }) => {
    const isInline = findDefinition(catalog, job.type)?.lane === 'inline';
    const onEdge = await outcomeOn('edge', job);
    expect(onEdge).toMatchObject({ ends: expect.arrayContaining([expect.anything()]) as unknown });
    expect(await outcomeOn('worker', job)).toEqual(onEdge);
    if (isInline) expect(await outcomeOn('inline', job)).toEqual(onEdge);
  });
});
