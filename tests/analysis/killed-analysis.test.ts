import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { UncheckedRpc } from '../../src/database/rpc.ts';
import { createOpenAi } from '../../src/openai/create-openai.ts';
import type { OpenAi } from '../../src/openai/openai.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { expectSoundQueue } from '../support/database.ts';
import { expireLease } from '../support/killed-attempt.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { type AnalysisWorld, startAnalysisWorld, userToken } from './analysis-world.ts';

let world: AnalysisWorld;
let user: string;
let undisturbed: Undisturbed;
/** Requests to OpenAI, whoever made them. */
let questions = 0;
let openai: OpenAi;

/** What an analysis that nobody disturbed did. */
interface Undisturbed {
  jobResult: unknown;
  result: unknown;
  requests: string[];
  /** Name of each saved step, and how many requests had been made by then. */
  saves: { name: string; requests: number; questions: number }[];
}

beforeAll(async () => {
  world = await startAnalysisWorld();
  openai = createOpenAi({
    ...{
      apiKey: 'sk-platform',
      baseUrl: 'http://openai.test/v1',
      rpc: world.database.rpc,
      log: silentLogger,
    },
    fetch: () => {
      questions += 1;
      return Promise.resolve(
        Response.json({ model: 'gpt-4o-mini', choices: [{ message: { content: 'They work.' } }] }),
      );
    },
  });
  undisturbed = await runUndisturbed();
});
afterEach(async () => {
  world.standIn.faults.clear();
  await expectSoundQueue(world.database.pool);
});
afterAll(() => world.close());

/** Three pages of commits, and three batches of details. */
async function start(): Promise<{ analysisId: string; jobId: string }> {
  user = crypto.randomUUID();
  await world.leave(user, 'github', userToken);
  return await world.start(user, world.repositories['octo-org/busy'], { maxDetails: 25 });
}

/** An attempt over this way to the database. */
async function attemptOver(jobId: string, rpc: UncheckedRpc): Promise<void> {
  await world.attempt(jobId, { rpc, queue: createJobQueue(rpc), openai });
}

/** The same database, which calls `before` first. */
function watched(
  before: (name: string, args: Record<string, unknown>) => void | Promise<void>,
): UncheckedRpc {
  return async (name, args = {}, options) => {
    await before(name, args);
    return await world.database.rpc(name, args, options);
  };
}

const requestsSince = (from: number): string[] =>
  world.standIn.requests
    .slice(from)
    .map(({ method, path, graphql }) => `${method} ${path} ${JSON.stringify(graphql?.variables ?? null)}`);

async function runUndisturbed(): Promise<Undisturbed> {
  const { analysisId, jobId } = await start();
  const saves: Undisturbed['saves'] = [];
  const asked = world.standIn.requests.length;
  const note = (name: string, args: Record<string, unknown>): void => {
    if (name !== 'save_background_job_step') return;
    saves.push({ name: String(args['name']), requests: world.standIn.requests.length - asked, questions });
  };
  await attemptOver(jobId, watched(note));
  const [job, analysis] = [
    await createJobQueue(world.database.rpc).get(jobId),
    await world.analysis(analysisId),
  ];
  expect(job).toMatchObject({ status: 'completed' });
  return { jobResult: job?.result, result: analysis.result, requests: requestsSince(asked), saves };
}

/** The next attempt asks for what the saved steps have not asked for, and ends as the undisturbed run. */
async function expectSameEnd(analysisId: string, jobId: string, saved: number): Promise<void> {
  const [asked, questionsBefore] = [world.standIn.requests.length, questions];
  const last = undisturbed.saves[saved - 1] ?? { requests: 0, questions: 0 };
  const job = await world.attempt(jobId, { openai });
  expect(job).toMatchObject({ status: 'completed', retryCount: 1, result: undisturbed.jobResult });
  expect(requestsSince(asked)).toEqual(undisturbed.requests.slice(last.requests));
  expect(questions - questionsBefore).toBe(1 - last.questions);
  expect(await world.analysis(analysisId)).toMatchObject({ status: 'completed', result: undisturbed.result });
}

it('has the five steps, and one for each page and batch', () => {
  expect(undisturbed.saves.map(({ name }) => name)).toEqual([
    'load-job-context',
    ...[1, 2, 3].map((page) => `fetch-commit-list:page ${page}`),
    'fetch-commit-list',
    ...[1, 2, 3].map((batch) => `fetch-commit-details:batch ${batch}`),
    'fetch-commit-details',
    'compute-analysis',
    'compute-analysis:narrative',
    'save-results',
  ]);
  expect(undisturbed.requests).toHaveLength(29);
});

it('killed in any step, before it was saved, goes on with that step', async () => {
  for (const k of undisturbed.saves.keys()) {
    const { analysisId, jobId } = await start();
    let saves = 0;
    await attemptOver(
      jobId,
      watched(async (name) => {
        if (name === 'save_background_job_step' && saves++ === k) await expireLease(world.database, jobId);
      }),
    );
    await expectSameEnd(analysisId, jobId, k);
  }
});

it('killed while it waits for GitHub, at any page and in any batch, goes on with that one', async () => {
  for (const n of [0, 1, 2, 3, 4, 13, 14, 28]) {
    const { analysisId, jobId } = await start();
    const asked = world.standIn.requests.length;
    world.standIn.faults.add({ kind: 'hang', skip: n });
    const shutdown = new AbortController();
    const attempt = world.attempt(jobId, { openai, shutdown: shutdown.signal });
    await vi.waitUntil(() => world.standIn.requests.length > asked + n, { timeout: 20_000, interval: 5 });
    await expireLease(world.database, jobId);
    shutdown.abort();
    await attempt;
    await expectSameEnd(analysisId, jobId, undisturbed.saves.filter(({ requests }) => requests <= n).length);
  }
});

it('killed when all is done and nobody knows, asks for nothing', async () => {
  const { analysisId, jobId } = await start();
  await attemptOver(
    jobId,
    watched(async (name) => {
      if (name === 'complete_job_batch') await expireLease(world.database, jobId);
    }),
  );
  expect(await world.analysis(analysisId)).toMatchObject({ status: 'completed' });
  await expectSameEnd(analysisId, jobId, undisturbed.saves.length);
});
