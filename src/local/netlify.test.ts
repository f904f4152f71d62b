import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { startNetlify, type Netlify } from './netlify.ts';

const config = `
[functions]
  directory = "handlers"
[[redirects]]
  from = "/api/echo"
  to = "/.netlify/functions/echo"
  status = 200
[[redirects]]
  from = "/rest/*"
  to = "/.netlify/functions/:splat"
  status = 200
[[redirects]]
  from = "/moved"
  to = "/.netlify/functions/echo"`;

let root: string;
let netlify: Netlify;

async function project(functions: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'netlify-'));
  await mkdir(join(folder, 'handlers'));
  await writeFile(join(folder, 'netlify.toml'), config);
  for (const [file, source] of Object.entries(functions))
    await writeFile(join(folder, 'handlers', file), source);
  return folder;
}

beforeAll(async () => {
  root = await project({
    'echo.ts': `export default async (request: Request) =>
      Response.json({ method: request.method, path: new URL(request.url).pathname, body: await request.text() });`,
    'broken.ts': `export default () => { throw new TypeError('out of order'); };`,
  });
  netlify = await startNetlify({ root, log: silentLogger });
});

afterAll(async () => {
  await netlify.close();
  await rm(root, { recursive: true, force: true });
});

test.each(['/.netlify/functions/echo', '/.netlify/functions/echo/below', '/api/echo', '/rest/echo'])(
  'a function is served at %s and sees that address',
  async (path) => {
    const answer = await fetch(netlify.url + path, { method: 'PUT', body: 'hello' });
    expect(await answer.json()).toEqual({ method: 'PUT', path, body: 'hello' });
  },
);

test.each(['/', '/echo', '/moved', '/.netlify/functions/nothing'])(
  'nothing is served at %s',
  async (path) => {
    expect((await fetch(netlify.url + path)).status).toBe(404);
  },
);

test('a body over 6 MB is refused', async () => {
  const body = 'x'.repeat(6 * 1024 * 1024 + 1);
  expect((await fetch(`${netlify.url}/api/echo`, { method: 'POST', body })).status).toBe(413);
});

test('a function that throws answers 500 and the others go on', async () => {
  const answer = await fetch(`${netlify.url}/.netlify/functions/broken`);
  expect(answer.status).toBe(500);
  expect(await answer.json()).toEqual({ errorType: 'TypeError', errorMessage: 'out of order' });
  expect((await fetch(`${netlify.url}/api/echo`)).status).toBe(200);
});

test('a file without a default export is named', async () => {
  const folder = await project({ 'empty.ts': 'export const nothing = 1;' });
  await expect(startNetlify({ root: folder, log: silentLogger })).rejects.toThrow(
    'empty.ts: expected a function as default export, got undefined',
  );
  await rm(folder, { recursive: true, force: true });
});
