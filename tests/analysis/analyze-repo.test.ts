import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PerformHostOptions } from '../../src/queue/perform-host.ts';
import { createOpenAi } from '../../src/openai/create-openai.ts';
import { createSecretBox } from '../../src/secrets/secret-box.ts';
import { expectSoundQueue } from '../support/database.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { type AnalysisWorld, startAnalysisWorld, userToken } from './analysis-world.ts';

let world: AnalysisWorld;
let user: string;

beforeAll(async () => {
  world = await startAnalysisWorld();
});
afterEach(async () => {
  world.standIn.faults.clear();
  await expectSoundQueue(world.database.pool);
});
afterAll(() => world.close());

/** An analysis for somebody new, with a token unless told otherwise. */
async function startFor(
  name: keyof AnalysisWorld['repositories'],
  { token = userToken, ...more }: { token?: string | null; maxCommits?: number; maxDetails?: number } = {},
): Promise<{ analysisId: string; jobId: string }> {
  user = crypto.randomUUID();
  if (token !== null) await world.leave(user, 'github', token);
  return await world.start(user, world.repositories[name], more);
}

/** OpenAI that answers so, and the keys it was asked with. */
function openAi(answer: () => Response, apiKey?: string) {
  const keys: (string | null)[] = [];
  const openai = createOpenAi({
    ...{ apiKey, baseUrl: 'http://openai.test/v1', rpc: world.database.rpc, log: silentLogger },
    fetch: (input, init) => {
      keys.push(new Request(input, init).headers.get('authorization'));
      return Promise.resolve(answer());
    },
  });
  return { openai, keys };
}

const told = (): Response =>
  Response.json({
    model: 'gpt-4o-mini-2024-07-18',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'They work.' } }],
    usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
  });

async function narrativeWith(more: Partial<PerformHostOptions>): Promise<unknown> {
  const { analysisId, jobId } = await startFor('octo-org/secret');
  expect(await world.attempt(jobId, more)).toMatchObject({ status: 'completed' });
  return (await world.analysis(analysisId)).result?.['narrative'];
}

describe('repo/analyze.requested', () => {
  it('measures all commits of the default branch by the clocks of their authors', async () => {
    const { analysisId, jobId } = await startFor('octo-org/busy', { maxDetails: 25 });
    const job = await world.attempt(jobId);
    expect(job).toMatchObject({
      status: 'completed',
      result: {
        ...{ commits: 230, truncated: false, detailedCommits: 25, asUser: true },
        ...{ narrative: 'unavailable', githubRequests: 29 },
      },
    });
    const analysis = await world.analysis(analysisId);
    expect(analysis).toMatchObject({ status: 'completed', error: null, job_id: jobId });
    const truth = world.standIn.data.repository('octo-org/busy')?.commits() ?? [];
    const people = truth.filter(({ authorName }) => !authorName.endsWith('[bot]'));
    const byHour = new Array<number>(24).fill(0);
    for (const { authoredAt, utcOffsetMinutes } of people) {
      const hour = new Date(authoredAt + utcOffsetMinutes * 60_000).getUTCHours();
      byHour[hour] = (byHour[hour] ?? 0) + 1;
    }
    expect(analysis.result).toMatchObject({
      repository: 'octo-org/busy',
      ...{ truncated: false, detailedCommits: 25 },
      style: {
        ...{ commits: people.length, botCommits: 230 - people.length },
        rhythm: { byHour, knownTimeZoneShare: 1 },
        people: { authors: new Set(people.map((commit) => commit.author?.login ?? commit.authorName)).size },
        areas: { folders: expect.arrayContaining([expect.objectContaining({ folder: 'src' })]) as unknown },
      },
      narrative: { status: 'unavailable', reason: 'there is no OpenAI key' },
    });
    // What it read on the way is gone.
    expect(await world.database.rpc('list_analysis_commits', { analysis_id: analysisId })).toEqual([]);
  });

  it('stops at maxCommits, and says so', async () => {
    const { jobId } = await startFor('octo-org/busy', { maxCommits: 120, maxDetails: 0 });
    expect((await world.attempt(jobId)).result).toMatchObject({ commits: 120, truncated: true });
  });

  it('of a repository without commits ends well', async () => {
    const { analysisId, jobId } = await startFor('octo-org/unborn');
    expect(await world.attempt(jobId)).toMatchObject({ status: 'completed', result: { commits: 0 } });
    expect((await world.analysis(analysisId)).result).toMatchObject({ style: { vibe: { name: 'Quiet' } } });
  });

  it('reads a public repository with the platform’s token for who has left none, and refuses a private one', async () => {
    const open = await startFor('octo-org/busy', { token: null, maxCommits: 5, maxDetails: 0 });
    expect((await world.attempt(open.jobId)).result).toMatchObject({ asUser: false, commits: 5 });
    const closed = await startFor('octo-org/secret', { token: null });
    const job = await world.attempt(closed.jobId);
    expect(job).toMatchObject({ status: 'failed', retryCount: 0 });
    expect(await world.analysis(closed.analysisId)).toMatchObject({
      status: 'error',
      error: expect.stringContaining('octo-org/secret is private. Sign in with GitHub again') as string,
    });
  });

  it('fails for good when the user’s token is refused, and says what to do', async () => {
    const { analysisId, jobId } = await startFor('octo-org/secret', { token: 'revoked-canary' });
    expect(await world.attempt(jobId)).toMatchObject({ status: 'failed', retryCount: 0 });
    const { status, error } = await world.analysis(analysisId);
    expect(status).toBe('error');
    expect(error).toMatch(
      /401.*The user's GitHub token has expired or was revoked\. Sign in with GitHub again/,
    );
  });

  it('waits for a rate limit without a retry, and then goes on', async () => {
    const { analysisId, jobId } = await startFor('octo-org/secret');
    world.standIn.faults.add({
      kind: 'secondary-limit',
      retryAfterSeconds: 1,
      match: { path: '*/commits/*' },
    });
    expect(await world.attempt(jobId)).toMatchObject({ status: 'queued', retryCount: 0 });
    expect(await world.analysis(analysisId)).toMatchObject({ status: 'running' });
    expect(await world.attempt(jobId)).toMatchObject({ status: 'completed' });
  });

  it('refuses a payload that names no analysis of this user and repository, and leaves that one alone', async () => {
    const { analysisId } = await startFor('octo-org/secret');
    const repoId = world.repositories['octo-org/secret'];
    const send = async (payload: object): Promise<string | null> => {
      const jobs = [{ type: 'repo/analyze.requested', payload: { jobId: analysisId, ...payload } }];
      const rows = await world.database.rpc<{ id: string }[]>('enqueue_background_jobs', { jobs });
      return (await world.attempt(rows[0]?.id ?? '')).error;
    };
    expect(await send({ userId: crypto.randomUUID(), repoId })).toContain('jobId: expected an analysis of');
    expect(await send({ userId: user, repoId: 'busy' })).toContain('repoId: expected the uuid of a row in');
    expect(await send({ userId: user })).toContain('repoId: expected string');
    expect(await world.analysis(analysisId)).toMatchObject({ status: 'pending' });
  });
});

describe('the narrative', () => {
  it('is paid for by the platform, recorded for the user', async () => {
    const { openai, keys } = openAi(told, 'sk-platform');
    expect(await narrativeWith({ openai })).toEqual({
      ...{ status: 'written', text: 'They work.', model: 'gpt-4o-mini-2024-07-18', paidBy: 'platform' },
    });
    expect(keys).toEqual(['Bearer sk-platform']);
    const { rows } = await world.database.pool.query('select * from ai_usage where user_id = $1', [user]);
    expect(rows).toMatchObject([
      {
        purpose: 'narrative',
        requests: '1',
        input_tokens: '1000',
        output_tokens: '100',
        cost_micro_usd: '210',
      },
    ]);
  });

  it('is paid for by the user who has left a key', async () => {
    const { openai, keys } = openAi(told, 'sk-platform');
    const { analysisId, jobId } = await startFor('octo-org/secret');
    await world.leave(user, 'openai', 'sk-own');
    await world.attempt(jobId, { openai });
    expect(keys).toEqual(['Bearer sk-own']);
    expect((await world.analysis(analysisId)).result).toMatchObject({ narrative: { paidBy: 'user' } });
  });

  it.each([
    ["OpenAI's rate limit is reached", 429, { message: 'Slow down.', code: 'rate_limit_exceeded' }],
    [
      'the language model is not available',
      429,
      { message: 'You exceeded your quota, org-canary.', code: 'insufficient_quota' },
    ],
    ['the OpenAI key of this site was refused', 401, { message: 'Incorrect API key provided' }],
    ['the language model is not available', 500, { message: 'The server of org-canary had an error' }],
  ])('fails and delays nothing, and says to the user only that %s', async (reason, status, error) => {
    const { openai } = openAi(() => Response.json({ error }, { status }), 'sk-platform');
    expect(await narrativeWith({ openai })).toEqual({ status: 'unavailable', reason });
  });

  it('says that the user’s own key was refused', async () => {
    const { openai } = openAi(
      () => Response.json({ error: { message: 'No.' } }, { status: 401 }),
      'sk-platform',
    );
    const { analysisId, jobId } = await startFor('octo-org/secret');
    await world.leave(user, 'openai', 'sk-own');
    await world.attempt(jobId, { openai });
    expect((await world.analysis(analysisId)).result).toMatchObject({
      narrative: { status: 'unavailable', reason: 'your OpenAI key was refused' },
    });
  });

  it('is not given up when its use could not be recorded: the job is retried', async () => {
    const { openai } = openAi(told, 'sk-platform');
    const { analysisId, jobId } = await startFor('octo-org/secret');
    await world.database.pool.query('alter table ai_usage rename to ai_usage_away');
    try {
      expect(await world.attempt(jobId, { openai })).toMatchObject({ status: 'queued', retryCount: 1 });
    } finally {
      await world.database.pool.query('alter table ai_usage_away rename to ai_usage');
    }
    expect(await world.attempt(jobId, { openai })).toMatchObject({ status: 'completed' });
    expect((await world.analysis(analysisId)).result).toMatchObject({ narrative: { text: 'They work.' } });
    const { rows } = await world.database.pool.query('select requests from ai_usage where user_id = $1', [
      user,
    ]);
    expect(rows).toEqual([{ requests: '1' }]);
  });
});

describe('the token of a user', () => {
  it('is seen in no table, no log and no error, whatever goes wrong', async () => {
    const log = recordingLogger();
    const faults = [
      { kind: 'unauthorized' },
      { kind: 'server-error' },
      { kind: 'truncated' },
      { kind: 'secondary-limit' },
      { kind: 'not-found' },
    ] as const;
    for (const fault of faults)
      for (const skip of [0, 1, 2]) {
        const { jobId } = await startFor('octo-org/secret');
        world.standIn.faults.clear();
        world.standIn.faults.add({ ...fault, skip });
        await world.attempt(jobId, { log });
      }
    world.standIn.faults.clear();
    const { jobId } = await startFor('octo-org/secret');
    expect(await world.attempt(jobId, { log })).toMatchObject({ status: 'completed' });
    expect(JSON.stringify(log.records)).not.toContain('canary');
    expect(await tablesWith('canary')).toEqual([]);
    expect(await tablesWith('octo-org')).toContain('background_job_steps');
  });

  it('is sealed again under the key in use when it was sealed under an older one', async () => {
    const { jobId } = await startFor('octo-org/secret');
    const keys = [9, 7].map((fill) => new Uint8Array(32).fill(fill));
    expect(await world.attempt(jobId, { secrets: createSecretBox(keys) })).toMatchObject({
      status: 'completed',
    });
    const again = await world.start(user, world.repositories['octo-org/secret']);
    const secrets = createSecretBox(keys.slice(0, 1));
    expect(await world.attempt(again.jobId, { secrets })).toMatchObject({ status: 'completed' });
    const lost = await world.start(user, world.repositories['octo-org/secret']);
    expect((await world.attempt(lost.jobId)).error).toContain('GITHUB_TOKEN_ENCRYPTION_KEY does not hold');
  });
});

/** Tables of which a row holds the text. */
async function tablesWith(text: string): Promise<string[]> {
  const { pool } = world.database;
  const { rows } = await pool.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c where c.relkind = 'r'
       and c.relnamespace in ('public'::regnamespace, 'job_queue'::regnamespace)`,
  );
  const found: string[] = [];
  for (const { name } of rows) {
    const hit = await pool.query(
      `select from ${name} as t where to_jsonb(t)::text like '%' || $1 || '%' limit 1`,
      [text],
    );
    if (hit.rowCount) found.push(name);
  }
  return found;
}
