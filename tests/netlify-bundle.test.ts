import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zipFunctions } from '@netlify/zip-it-and-ship-it';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../src/jobs/catalog.ts';
import { embeddingsSet, servedBy } from '../src/router/function-sets.ts';
import { unzip } from '../src/local/unzip.ts';

const root = join(import.meta.dirname, '..');
const host = join(import.meta.dirname, '../src/local/lambda-host.ts');

let folder: string;
/** Entry files of the unpacked bundles, by function. */
const entries = new Map<string, string>();
const files: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'netlify-bundle-'));
  const bundles = await zipFunctions(join(root, 'netlify/functions'), folder, {
    archiveFormat: 'zip',
    basePath: root,
  });
  for (const { name, path, entryFilename } of bundles) {
    files.push(...(await unzip(path, join(folder, 'unpacked', name))));
    entries.set(name, join(folder, 'unpacked', name, entryFilename));
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function call(
  env: Record<string, string>,
  name = 'inngest-hybrid',
  { method = 'GET', path = `/.netlify/functions/${name}` } = {},
): Promise<{ status: number; body: Record<string, unknown>; output: string }> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [host, entries.get(name) ?? '', method, `https://example.netlify.app${path}`],
    { env: { PATH: process.env['PATH'], ...env }, cwd: join(folder, 'unpacked', name) },
  );
  const answer = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { status: number; body: string };
  return {
    status: answer.status,
    body: JSON.parse(answer.body) as Record<string, unknown>,
    output: stdout + stderr,
  };
}

/** Nobody listens there. */
const supabase = { SUPABASE_URL: 'http://127.0.0.1:9', SUPABASE_SECRET_KEY: 'sb_secret_bundle_test' };

describe('the bundle that Netlify deploys', () => {
  it('lists a function for every job kind in development', async () => {
    const { status, body } = await call({ ...supabase, INNGEST_DEV: '1' });
    expect(status).toBe(200);
    const listed = body['functions'] as { id: string; triggers: { event: string }[] }[];
    expect(listed.map(({ triggers }) => triggers[0]?.event)).toEqual(catalog.map(({ type }) => type));
    expect(listed.map(({ id }) => id)).toContain('hybrid-jobs-system-ping');
  });

  it('lists them all for the local dashboard, under an app id of its own', async () => {
    const { status, body } = await call({ ...supabase, INNGEST_DEV: '1' }, 'inngest-local-full');
    expect(status).toBe(200);
    const listed = body['functions'] as { id: string }[];
    expect(listed.map(({ id }) => id)).toEqual(
      catalog.map(({ functionId }) => `hybrid-jobs-local-${functionId}`),
    );
  });

  it('has no local dashboard in the cloud, signing key or not', async () => {
    const env = { ...supabase, INNGEST_SIGNING_KEY: 'signkey-prod-0123' };
    const { status, output } = await call(env, 'inngest-local-full');
    expect(status).toBe(500);
    expect(output).toContain('inngest-local-full serves in development only');
  });

  it('lists embeddings and workspaces at an endpoint of their own, and then no longer at the hybrid one', async () => {
    const env = { ...supabase, INNGEST_DEV: '1', INNGEST_EMBEDDINGS_ENDPOINT: 'on' };
    const ids = async (name: string): Promise<string[]> =>
      ((await call(env, name)).body['functions'] as { id: string }[]).map(({ id }) => id);
    const split = servedBy(embeddingsSet, catalog, true).map(({ functionId }) => functionId);
    expect(await ids('inngest-embeddings')).toEqual(split.map((id) => `hybrid-jobs-embeddings-${id}`));
    const others = catalog.filter(({ functionId }) => !split.includes(functionId));
    expect(await ids('inngest-hybrid')).toEqual(others.map(({ functionId }) => `hybrid-jobs-${functionId}`));
  });

  it('has no embeddings endpoint in the cloud where it is not switched on, signing key or not', async () => {
    const env = { ...supabase, INNGEST_SIGNING_KEY: 'signkey-prod-0123' };
    const { status, output } = await call(env, 'inngest-embeddings');
    expect(status).toBe(500);
    expect(output).toContain('inngest-embeddings serves where INNGEST_EMBEDDINGS_ENDPOINT is on');
  });

  it('refuses to serve in the cloud without a signing key', async () => {
    const { status, body } = await call(supabase);
    expect(status).toBe(500);
    expect(body).toEqual({ message: 'inngest-hybrid is not configured to serve' });
  });

  it('says in its log, not in its answer, which variables are missing', async () => {
    const { status, body, output } = await call({ INNGEST_DEV: '1' });
    expect(status).toBe(500);
    expect(body).toEqual({ message: 'inngest-hybrid is not configured to serve' });
    expect(output).toContain(
      'SUPABASE_URL (or VITE_SUPABASE_URL, NEXT_PUBLIC_SUPABASE_URL): expected an http(s) URL',
    );
  });

  it('takes events with the event key only, at the address to which senders post', async () => {
    const env = { ...supabase, INNGEST_EVENT_KEY: 'of-a-branch', INNGEST_PRODUCTION_EVENT_KEY: 'right' };
    const sent = async (path: string) => await call(env, 'events', { method: 'POST', path });
    expect(await sent('/e/of-a-branch')).toMatchObject({
      status: 401,
      body: { error: 'Event key not found' },
    });
    expect(await sent('/e/right')).toMatchObject({ status: 400, body: { ids: [], status: 400 } });
  });

  it('takes no events outside development without an event key', async () => {
    const { status, body, output } = await call(supabase, 'events', { method: 'POST', path: '/e/any' });
    expect([status, body]).toEqual([500, { message: 'events is not configured to serve' }]);
    expect(output).toContain('INNGEST_PRODUCTION_EVENT_KEY (or INNGEST_EVENT_KEY): expected an event key');
  });

  it('starts analyses for signed-in users only, at a function of its own', async () => {
    const asked = async (method: string) => await call(supabase, 'analysis-start', { method });
    expect(await asked('GET')).toMatchObject({ status: 405, body: { error: 'expected POST, got GET' } });
    expect(await asked('POST')).toMatchObject({
      status: 401,
      body: { error: 'Authorization: expected Bearer and the access token of a signed-in user' },
    });
  });

  it('holds no test and no environment file', () => {
    expect(files.filter((file) => !file.includes('node_modules') && /\.test\.|\.env/.test(file))).toEqual([]);
  });
});
