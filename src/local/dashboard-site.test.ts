import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { createDashboardSite } from './dashboard-site.ts';
import { startNetlify, type Netlify } from './netlify.ts';

const config = {
  supabaseUrl: 'http://127.0.0.1:54321',
  publishableKey: 'sb_publishable_for_tests',
  local: true,
  inngestUrl: null,
  githubUrl: 'https://github.com',
};

let root: string;
let netlify: Netlify;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dashboard-'));
  await mkdir(join(root, 'dist/assets'), { recursive: true });
  await mkdir(join(root, 'functions'));
  await writeFile(join(root, 'functions/echo.ts'), `export default () => Response.json('echo');`);
  await writeFile(join(root, 'netlify.toml'), '[functions]\ndirectory = "functions"');
  await writeFile(join(root, 'secret.txt'), 'not of the site');
  await writeFile(join(root, 'dist/index.html'), '<title>Jobs</title>');
  await writeFile(join(root, 'dist/assets/app-1a2b.js'), 'export {};');
  const site = createDashboardSite(() => Promise.resolve(join(root, 'dist')), config);
  netlify = await startNetlify({ root, site, log: silentLogger });
});

afterAll(async () => {
  await netlify.close();
  await rm(root, { recursive: true, force: true });
});

const get = (path: string) => fetch(netlify.url + path);

test.each(['/dashboard', '/dashboard/', '/dashboard/jobs/01a202ad-6781-749b-a179-ceb4e3aefb5d'])(
  '%s is the page',
  async (path) => {
    const response = await get(path);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(await response.text()).toContain('<title>Jobs</title>');
  },
);

test('a file is served as what it is', async () => {
  const response = await get('/dashboard/assets/app-1a2b.js');
  expect(response.headers.get('content-type')).toContain('javascript');
  expect(await response.text()).toBe('export {};');
});

test('the page learns where Supabase is, and no secret', async () => {
  expect(await (await get('/dashboard/config.json')).json()).toEqual(config);
});

test.each(['/dashboard/assets/old.js', '/dashboard/..%2fsecret.txt', '/dashboard/%2e%2e/secret.txt'])(
  '%s is not there',
  async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('not of the site');
  },
);

test('the functions are where they were', async () => {
  expect(await (await get('/.netlify/functions/echo')).json()).toBe('echo');
});

test('a build that failed is said on the page, and is tried again', async () => {
  let tries = 0;
  const site = createDashboardSite(() => {
    tries++;
    return Promise.reject(new Error('vite build ended with 1: no such module'));
  }, config);
  for (let n = 0; n < 2; n++) {
    const response = await site.request('/dashboard/');
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('vite build ended with 1: no such module');
  }
  expect(tries).toBe(2);
});
