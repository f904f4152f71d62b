import { describe, expect, it } from 'vitest';
import {
  parseEndpointConfig,
  parseEventsConfig,
  parseHybridConfig,
  parseProcessJobConfig,
  parseWorkerConfig,
} from './config.ts';

const minimal = { SUPABASE_URL: 'http://127.0.0.1:54321', SUPABASE_SECRET_KEY: 'sb_secret_one' };

const errorOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return String(error);
  }
  throw new Error('expected a refusal');
};

describe('the configuration of inngest-hybrid', () => {
  it('needs only the Supabase URL and a secret key', () => {
    const config = parseHybridConfig(minimal);
    expect(config).toMatchObject({
      inngest: { isDev: false, signingKey: undefined },
      supabase: { url: 'http://127.0.0.1:54321', secretKey: 'sb_secret_one' },
      processJob: { url: 'http://127.0.0.1:54321/functions/v1/process-job', key: 'sb_secret_one' },
      github: { token: undefined, tokenName: 'GITHUB_TOKEN', baseUrl: 'https://api.github.com' },
      openai: { apiKey: undefined, baseUrl: 'https://api.openai.com/v1' },
      encryptionKeys: [],
      inlineBudgetSeconds: 10,
      allowedOrigins: [],
      scheduler: 'inngest',
      logLevel: 'info',
      warnings: [],
    });
  });

  it.each([
    [undefined, false],
    ['off', false],
    ['inngest', true],
  ])('with JOBS_SWEEP %s says whether Inngest sweeps: %s', (text, expected) => {
    expect(parseHybridConfig({ ...minimal, JOBS_SWEEP: text }).sweepsByInngest).toBe(expected);
  });

  it('refuses a sweep by anybody else', () => {
    const message = errorOf(() => parseHybridConfig({ ...minimal, JOBS_SWEEP: 'yes' }));
    expect(message).toContain('JOBS_SWEEP: expected inngest or off, got "yes"');
  });

  it.each([
    [undefined, false],
    ['off', false],
    ['on', true],
  ])('with INNGEST_EMBEDDINGS_ENDPOINT %s says whether embeddings are split off: %s', (text, expected) => {
    const env = { ...minimal, INNGEST_EMBEDDINGS_ENDPOINT: text };
    expect(parseHybridConfig(env).splitsOffEmbeddings).toBe(expected);
  });

  it('refuses anything but on and off for the embeddings endpoint', () => {
    const message = errorOf(() => parseHybridConfig({ ...minimal, INNGEST_EMBEDDINGS_ENDPOINT: '1' }));
    expect(message).toContain('INNGEST_EMBEDDINGS_ENDPOINT: expected on or off, got "1"');
  });

  it.each([
    'https://App.Example.com',
    'https://a.com:443',
    'https://u@x.com',
    'https://a.com?x',
    'https://a.com/',
    'ftp://a.com',
    '*',
    'null',
    'https://a.com,',
  ])('refuses %s as an origin, which no browser would send', (origins) => {
    const message = errorOf(() => parseHybridConfig({ ...minimal, CORS_ALLOWED_ORIGINS: origins }));
    expect(message).toContain(
      'CORS_ALLOWED_ORIGINS: expected origins like https://app.example.com, separated by commas, got',
    );
  });

  it('takes origins with ports and of this machine', () => {
    const origins = 'https://app.example.com, http://localhost:5173,http://127.0.0.1:8080';
    expect(parseHybridConfig({ ...minimal, CORS_ALLOWED_ORIGINS: origins }).allowedOrigins).toEqual([
      'https://app.example.com',
      'http://localhost:5173',
      'http://127.0.0.1:8080',
    ]);
  });

  it('names every mistake in one error and shows no secret', () => {
    const message = errorOf(() =>
      parseHybridConfig({
        SUPABASE_SECRET_KEYS: '{"default": "sb_secret_hidden"',
        DATABASE_URL: 'mysql://root:hunter2@db/x',
        INLINE_BUDGET_SECONDS: 'ten',
        LOG_LEVEL: 'loud',
        INNGEST_DEV: 'yes',
      }),
    );
    expect(message).toContain(
      'SUPABASE_URL (or VITE_SUPABASE_URL, NEXT_PUBLIC_SUPABASE_URL): expected an http(s) URL, got nothing',
    );
    expect(message).toContain('SUPABASE_SECRET_KEYS: expected a JSON dictionary or list of secret keys, got');
    expect(message).toContain('DATABASE_URL: expected a postgres:// URL, got');
    expect(message).toContain('INLINE_BUDGET_SECONDS: expected a whole number from 1, got "ten"');
    expect(message).toContain('LOG_LEVEL: expected one of debug, info, warn, error, silent, got "loud"');
    expect(message).toContain('INNGEST_DEV: expected 1, 0, true, false or the URL');
    expect(message).not.toMatch(/hidden|hunter2/);
  });

  it('says which variables may carry the secret key when none does', () => {
    expect(errorOf(() => parseHybridConfig({ SUPABASE_URL: 'https://x.supabase.co' }))).toContain(
      'SUPABASE_SECRET_KEY (or SUPABASE_SECRET_KEYS, SUPABASE_SERVICE_ROLE_KEY): expected a non-empty secret, got nothing',
    );
  });

  it.each(['plain\nover two lines', 'plain with spaces', 'plain…'])(
    'refuses a secret that no header can carry, since the refused header would show it: %j',
    (secret) => {
      const names = ['GITHUB_TOKEN', 'PROCESS_JOB_SECRET', 'SUPABASE_SECRET_KEY', 'INNGEST_SIGNING_KEY'];
      for (const name of names) {
        const message = errorOf(() => parseHybridConfig({ ...minimal, [name]: secret }));
        expect(message).toContain(
          `${name}: expected a secret in one line without spaces, got something else`,
        );
        expect(message).not.toContain('plain');
      }
      const listed = { ...minimal, SUPABASE_SECRET_KEYS: JSON.stringify({ default: secret }) };
      expect(errorOf(() => parseHybridConfig(listed))).toContain('SUPABASE_SECRET_KEYS: expected');
    },
  );

  it('prefers the production keys in the cloud and ignores them in development', () => {
    const keys = {
      ...minimal,
      INNGEST_SIGNING_KEY: 'signkey-test-1',
      INNGEST_PRODUCTION_SIGNING_KEY: 'signkey-prod-2',
      INNGEST_PRODUCTION_EVENT_KEY: 'event-prod',
    };
    expect(parseHybridConfig(keys).inngest).toMatchObject({
      signingKey: 'signkey-prod-2',
      eventKey: 'event-prod',
    });
    expect(parseHybridConfig({ ...keys, INNGEST_DEV: '1' }).inngest).toMatchObject({
      isDev: true,
      signingKey: 'signkey-test-1',
      eventKey: undefined,
    });
  });

  it('takes the URL of a Dev Server from INNGEST_DEV', () => {
    expect(parseHybridConfig({ ...minimal, INNGEST_DEV: 'http://localhost:8288' }).inngest).toMatchObject({
      isDev: true,
      baseUrl: 'http://localhost:8288',
    });
  });

  it('warns about a GitHub token that a browser bundle could hold, and remembers its name', () => {
    const config = parseHybridConfig({ ...minimal, VITE_GITHUB_TOKEN: 'ghp_x' });
    expect(config.github).toMatchObject({ token: 'ghp_x', tokenName: 'VITE_GITHUB_TOKEN' });
    expect(config.warnings.join()).toContain('VITE_GITHUB_TOKEN is deprecated');
  });
});

describe('the environment that an Inngest endpoint finds itself in', () => {
  it.each([
    ['local', { INNGEST_DEV: '1', CONTEXT: 'production', INNGEST_ENV: 'feature-x' }],
    ['local', { INNGEST_DEV: 'http://localhost:8288' }],
    ['local', { CONTEXT: 'dev' }],
    ['production', { CONTEXT: 'dev', INNGEST_DEV: '0' }],
    ['preview', { INNGEST_ENV: 'feature-x', CONTEXT: 'production' }],
    ['preview', { CONTEXT: 'deploy-preview' }],
    ['preview', { CONTEXT: 'branch-deploy', INNGEST_DEV: 'false' }],
    ['production', { CONTEXT: 'production' }],
    ['production', { INNGEST_ENV: 'production', CONTEXT: 'branch-deploy' }],
    ['production', {}],
  ])('is %s with %j', (environment, env) => {
    expect(parseHybridConfig({ ...minimal, ...env }).inngest).toMatchObject({
      environment,
      isDev: environment === 'local',
    });
  });

  const keys = {
    INNGEST_SIGNING_KEY: 'signkey-branch-1',
    INNGEST_EVENT_KEY: 'event-branch',
    INNGEST_PRODUCTION_SIGNING_KEY: 'signkey-prod-2',
    INNGEST_PRODUCTION_EVENT_KEY: 'event-prod',
  };

  it.each([
    ['local', { INNGEST_DEV: '1' }, 'signkey-branch-1', 'event-branch'],
    ['a preview', { INNGEST_ENV: 'feature-x' }, 'signkey-branch-1', 'event-branch'],
    ['production', {}, 'signkey-prod-2', 'event-prod'],
  ])('decides which keys count: %s', (_, env, signingKey, eventKey) => {
    expect(parseEndpointConfig({ ...minimal, ...keys, ...env }).inngest).toMatchObject({
      signingKey,
      eventKey,
    });
  });

  it('lets the production names win in a preview, too, as long as their key is not of production', () => {
    const env = { ...keys, CONTEXT: 'deploy-preview', INNGEST_PRODUCTION_SIGNING_KEY: 'signkey-branch-3' };
    expect(parseEndpointConfig({ ...minimal, ...env }).inngest).toMatchObject({
      signingKey: 'signkey-branch-3',
      eventKey: 'event-prod',
    });
  });

  it('names its branch environment in a preview only', () => {
    const branchOf = (env: object): string | undefined =>
      parseHybridConfig({ ...minimal, INNGEST_ENV: 'feature-x', ...env }).inngest.branch;
    expect(branchOf({})).toBe('feature-x');
    expect(branchOf({ INNGEST_DEV: '1' })).toBeUndefined();
  });

  it('refuses to serve a preview as production', () => {
    const env = { ...minimal, INNGEST_ENV: 'feature-x', INNGEST_SIGNING_KEY: 'signkey-prod-2' };
    expect(errorOf(() => parseEndpointConfig(env))).toContain(
      "INNGEST_SIGNING_KEY: expected a branch environment's signing key in a preview, got something else",
    );
  });

  it('names a missing signing key together with everything else that is missing', () => {
    const message = errorOf(() => parseEndpointConfig({ INNGEST_SERVE_PATH: 'api' }));
    expect(message).toContain('SUPABASE_URL (or VITE_SUPABASE_URL');
    expect(message).toContain('SUPABASE_SECRET_KEY (or SUPABASE_SECRET_KEYS');
    expect(message).toContain(
      'INNGEST_PRODUCTION_SIGNING_KEY (or INNGEST_SIGNING_KEY): expected a signing key, or INNGEST_DEV=1 to develop, got nothing',
    );
    expect(message).toContain('INNGEST_SERVE_PATH: expected a path that begins with /, got "api"');
  });

  it('needs no signing key to develop', () => {
    expect(parseEndpointConfig({ ...minimal, INNGEST_DEV: '1' }).inngest.signingKey).toBeUndefined();
  });
});

describe('the configuration of the event API', () => {
  it.each([
    ['production', {}, 'event-prod'],
    ['a preview', { INNGEST_ENV: 'feature-x', INNGEST_SIGNING_KEY: 'signkey-prod-2' }, 'event-prod'],
    ['local', { INNGEST_DEV: '1' }, 'event-branch'],
  ])('needs an event key, and no signing key: %s', (_, env, eventKey) => {
    const keys = { INNGEST_EVENT_KEY: 'event-branch', INNGEST_PRODUCTION_EVENT_KEY: 'event-prod' };
    expect(parseEventsConfig({ ...minimal, ...keys, ...env }).inngest.eventKey).toBe(eventKey);
  });

  it.each([
    [{}, 'INNGEST_PRODUCTION_EVENT_KEY (or INNGEST_EVENT_KEY)'],
    [{ CONTEXT: 'deploy-preview', INNGEST_PRODUCTION_SIGNING_KEY: 'signkey-prod-2' }, 'INNGEST_EVENT_KEY'],
  ])('refuses to serve without one outside development: %j', (env, names) => {
    expect(errorOf(() => parseEventsConfig({ ...minimal, ...env }))).toContain(
      `${names}: expected an event key, or INNGEST_DEV=1 to develop, got nothing`,
    );
  });

  it('takes any key in development', () => {
    expect(parseEventsConfig({ ...minimal, INNGEST_DEV: '1' }).inngest.eventKey).toBeUndefined();
  });
});

describe('the configuration of process-job', () => {
  const platform = {
    SUPABASE_URL: 'https://x.supabase.co',
    SUPABASE_SECRET_KEYS: '{"ci":"sb_secret_ci","default":"sb_secret_default"}',
    SUPABASE_SERVICE_ROLE_KEY: 'legacy',
  };

  it('uses the default secret key and accepts all of them', () => {
    const config = parseProcessJobConfig(platform);
    expect(config.supabase.secretKey).toBe('sb_secret_default');
    expect(config.acceptedKeys).toEqual(['sb_secret_default', 'sb_secret_ci', 'legacy']);
    expect(config).toMatchObject({ wallSeconds: 150, concurrency: 10, leaseSeconds: 20 });
  });

  it('wakes with the dedicated secret where there is one', () => {
    const config = parseProcessJobConfig({
      ...platform,
      PROCESS_JOB_SECRET: 'doorbell',
      EDGE_CONCURRENCY: '3',
    });
    expect(config.processJob).toEqual({
      url: 'https://x.supabase.co/functions/v1/process-job',
      key: 'doorbell',
    });
    expect(config.acceptedKeys[0]).toBe('doorbell');
    expect(config.concurrency).toBe(3);
  });

  it.each([
    '["sb_secret_a","sb_secret_b"]',
    '[{"name":"a","api_key":"sb_secret_a"},{"name":"b","api_key":"sb_secret_b"}]',
  ])('takes a list of keys: %s', (list) => {
    const config = parseProcessJobConfig({ SUPABASE_URL: platform.SUPABASE_URL, SUPABASE_SECRET_KEYS: list });
    expect(config.acceptedKeys).toEqual(['sb_secret_a', 'sb_secret_b']);
  });

  it.each([
    ['Inngest Cloud', { INNGEST_EVENT_KEY: 'a-key' }, 'https://inn.gs/e/a-key', {}],
    [
      'its production first',
      { INNGEST_EVENT_KEY: 'a-key', INNGEST_PRODUCTION_EVENT_KEY: 'b-key' },
      'https://inn.gs/e/b-key',
      {},
    ],
    [
      'a branch environment',
      { INNGEST_EVENT_KEY: 'a-key', INNGEST_ENV: 'feature-x' },
      'https://inn.gs/e/a-key',
      { 'x-inngest-env': 'feature-x' },
    ],
    [
      'an Inngest of your own',
      { INNGEST_EVENT_KEY: 'a-key', INNGEST_BASE_URL: 'https://inngest.test' },
      'https://inngest.test/e/a-key',
      {},
    ],
    ['the Dev Server', { INNGEST_DEV: '1' }, 'http://127.0.0.1:8288/e/dev', {}],
    ['a Dev Server elsewhere', { INNGEST_DEV: 'http://dev.test:1/' }, 'http://dev.test:1/e/dev', {}],
  ])('sends events to %s', (_where, env, url, headers) => {
    expect(parseProcessJobConfig({ ...platform, ...env }).inngestEvents).toEqual({ url, headers });
  });

  it('sends no events without an event key', () => {
    expect(parseProcessJobConfig(platform).inngestEvents).toBeNull();
  });

  it('refuses an empty dictionary of keys', () => {
    expect(errorOf(() => parseProcessJobConfig({ ...platform, SUPABASE_SECRET_KEYS: '{}' }))).toContain(
      'SUPABASE_SECRET_KEYS: expected a JSON dictionary or list of secret keys',
    );
  });
});

describe('the configuration of the worker', () => {
  const databaseUrl = 'postgres://postgres:secret@127.0.0.1:5432/postgres';

  it('needs only a database', () => {
    expect(parseWorkerConfig({ DATABASE_URL: databaseUrl })).toEqual({
      databaseUrl,
      github: { token: undefined, tokenName: 'GITHUB_TOKEN', baseUrl: 'https://api.github.com' },
      openai: { apiKey: undefined, baseUrl: 'https://api.openai.com/v1' },
      encryptionKeys: [],
      concurrency: 10,
      leaseSeconds: 20,
      drainSeconds: 25,
      keepDays: 30,
      inngestEvents: null,
      scheduler: 'inngest',
      logLevel: 'info',
      warnings: [],
    });
  });

  it('keeps finished jobs for at least a week, and knows two schedulers', () => {
    const env = { DATABASE_URL: databaseUrl, KEEP_JOBS_DAYS: '6', JOB_SCHEDULER: 'cron' };
    const message = errorOf(() => parseWorkerConfig(env));
    expect(message).toContain('KEEP_JOBS_DAYS: expected a whole number from 7, got "6"');
    expect(message).toContain('JOB_SCHEDULER: expected inngest or worker, got "cron"');
    expect(parseWorkerConfig({ ...env, KEEP_JOBS_DAYS: '7', JOB_SCHEDULER: 'worker' }).scheduler).toBe(
      'worker',
    );
  });

  it('knows Inngest as process-job does', () => {
    const env = { DATABASE_URL: databaseUrl, INNGEST_EVENT_KEY: 'a-key' };
    expect(parseWorkerConfig(env).inngestEvents).toEqual({ url: 'https://inn.gs/e/a-key', headers: {} });
  });

  it('warns of a transaction pooler', () => {
    const { warnings } = parseWorkerConfig({ DATABASE_URL: databaseUrl.replace('5432', '6543') });
    expect(warnings).toEqual([expect.stringContaining('port 6543 is the transaction pooler')]);
  });

  it('knows process-job when somebody says where it is and gives a key', () => {
    const processJob = (more: object) => parseWorkerConfig({ DATABASE_URL: databaseUrl, ...more }).processJob;
    expect(processJob({})).toBeUndefined();
    expect(processJob({ SUPABASE_URL: minimal.SUPABASE_URL })).toBeUndefined();
    const url = `${minimal.SUPABASE_URL}/functions/v1/process-job`;
    expect(processJob(minimal)).toEqual({ url, key: 'sb_secret_one' });
    expect(processJob({ ...minimal, PROCESS_JOB_SECRET: 'waker' })).toEqual({ url, key: 'waker' });
  });
});
