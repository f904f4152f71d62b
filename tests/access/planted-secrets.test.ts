import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createEventsApp } from '../../src/events/app.ts';
import type { JobDefinition } from '../../src/jobs/define-job.ts';
import type { JobContext } from '../../src/jobs/job-context.ts';
import { NonRetryableError, SnoozeError } from '../../src/jobs/outcomes.ts';
import { createProcessJobHandler } from '../../src/process-job/handler.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { ConfigError } from '../../src/runtime/config-reader.ts';
import { parseHybridConfig, parseProcessJobConfig, parseWorkerConfig } from '../../src/runtime/config.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { openOutside, type Outside } from '../fuzz/http/outside.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testJob } from '../support/queue-host.ts';

/** In the shape that each has in the wild; the word in all of them must surface nowhere. */
const canaries = {
  GITHUB_TOKEN: 'ghp_canary0123456789abcdefghijklmnop',
  OPENAI_API_KEY: 'sk-proj-canary-0123456789abcdefghij',
  SUPABASE_SECRET_KEY: 'sb_secret_canary_0123456789',
  SUPABASE_SERVICE_ROLE_KEY: 'eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOjF9.canary-signature',
  INNGEST_SIGNING_KEY: 'signkey-prod-canary0123456789',
  DATABASE_URL: 'postgres://postgres:canary-password@db.example.com:5432/postgres',
};
const authorization = 'Bearer canary-of-a-header';
const planted = [...Object.values(canaries), authorization];
const spoken = planted.join(' and ');

const lines: string[] = [];
const log = createNodeLogger({
  level: 'debug',
  destination: { write: (line: string) => void lines.push(line) },
});

const everyWay: Record<string, (ctx: JobContext<unknown>) => Promise<unknown>> = {
  returns: () => Promise.resolve({ canaries, nested: [{ text: spoken }], [canaries.GITHUB_TOKEN]: 1 }),
  'saves steps': async (ctx) => {
    await ctx.step('leaky', () => Promise.resolve({ canaries, spoken }));
    throw new Error('so that the step stays');
  },
  'reports progress': async (ctx) => {
    await ctx.progress(10, `with ${canaries.GITHUB_TOKEN}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  },
  logs: (ctx) => {
    ctx.log.info({ canaries, headers: { authorization }, password: 'canary' }, spoken);
    ctx.log.error({ err: new Error(spoken, { cause: new Error(spoken) }) }, 'an error');
    return Promise.resolve(null);
  },
  throws: () => Promise.reject(Object.assign(new Error(spoken, { cause: new Error(spoken) }), { canaries })),
  'throws for good': () => Promise.reject(new NonRetryableError(spoken)),
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
  'throws text': () => Promise.reject(spoken),
  snoozes: () => Promise.reject(new SnoozeError(new Date(Date.now() + 60_000), spoken)),
};

const catalog: JobDefinition[] = Object.entries(everyWay).map(([type, run]) =>
  testJob(type, z.unknown(), run),
);

let database: TestDatabase;
let outside: Outside;

beforeAll(async () => {
  database = await createTestDatabase();
  outside = await openOutside(database.url, log);
});
afterAll(async () => {
  await outside.close();
  await database.close();
});

const tables = `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`;

async function tablesWith(word: string): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(tables);
  const found: string[] = [];
  for (const { name } of rows) {
    const { rowCount } = await database.pool.query(
      `select from ${name} t where strpos(t::text, $1) > 0 limit 1`,
      [word],
    );
    if (rowCount) found.push(name);
  }
  return found;
}

it.each(Object.keys(everyWay))(
  'a job that %s leaves no secret in an answer, a log line or a row',
  async (type) => {
    lines.length = 0;
    const { parts } = outside;
    const queue = createJobQueue(parts.rpc);
    const processJob = createProcessJobHandler({
      ...{ ...parts, acceptedKeys: [canaries.SUPABASE_SECRET_KEY], queue, inngestEvents: null },
      loadJobs: () => Promise.resolve({ catalog, github: parts.github }),
      ...{ worker: 'w', concurrency: 1, leaseSeconds: 30, startedAt: new Date(), wallSeconds: 150 },
      waitUntil: () => undefined,
      wake: () => Promise.resolve({ woken: false }),
    });
    const [job] = await queue.enqueue([{ type, lane: 'edge' }]);
    const body = JSON.stringify({ jobId: job?.id, immediate: true });
    const headers = { apikey: canaries.SUPABASE_SECRET_KEY };
    const answer = await processJob.handle(
      new Request('http://localhost/', { method: 'POST', headers, body }),
    );
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toContain(job?.id);
    expect(text + lines.join('')).not.toContain('canary');
    expect(await tablesWith('canary')).toEqual([]);
    expect(await queue.explain(job?.id ?? '')).not.toContain('canary');
  },
);

it('a configuration that is wrong names its variables, and shows the value of none', () => {
  const spoiled = Object.fromEntries(Object.entries(canaries).map(([name, value]) => [name, `${value}\n`]));
  const env = {
    ...spoiled,
    ...{ SUPABASE_URL: 'canary', GITHUB_TOKEN_ENCRYPTION_KEY: 'canary', SUPABASE_SECRET_KEYS: '{"canary":' },
    ...{ INNGEST_EVENT_KEY: 'canary\n', PROCESS_JOB_SECRET: 'canary\n', GITHUB_API_URL: 'canary' },
  };
  for (const parse of [parseHybridConfig, parseProcessJobConfig, parseWorkerConfig]) {
    const problem = (() => {
      try {
        parse(env);
        return null;
      } catch (error) {
        return error;
      }
    })();
    expect(problem).toBeInstanceOf(ConfigError);
    expect(String(problem)).not.toContain('canary');
  }
});

it('an endpoint whose database refuses says nothing of why to who asked', async () => {
  const { parts, config } = outside;
  const rpc = () => Promise.reject(new Error(spoken));
  const events = createEventsApp({ ...parts, rpc, config, catalog });
  const url = `https://site.test/e/${config.inngest.eventKey}`;
  const answer = await events(
    new Request(url, { method: 'POST', body: JSON.stringify({ name: 'returns' }) }),
  );
  expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('canary')]);
  expect(lines.join('')).not.toContain('canary');
});
