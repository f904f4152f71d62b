import { expect, test } from 'vitest';
import { readDashboardConfig } from './dashboard-config.ts';

const answering = (body: unknown, init?: ResponseInit) => async () =>
  await Promise.resolve(typeof body === 'string' ? new Response(body, init) : Response.json(body, init));
const legacy = (role: string) => `e30.${btoa(JSON.stringify({ role }))}.signature`;
const url = 'https://example.supabase.co';

test('reads the file beside the dashboard', async () => {
  const file = answering({ supabaseUrl: `${url}/`, publishableKey: 'sb_publishable_1' });
  expect(await readDashboardConfig(file, '/')).toEqual({
    supabaseUrl: url,
    publishableKey: 'sb_publishable_1',
    local: false,
    inngestRunUrl: undefined,
  });
});

test('links to the Dev Server that the local stack names, and nowhere when it names none', async () => {
  const local = { supabaseUrl: url, publishableKey: legacy('anon'), local: true };
  const withInngest = answering({ ...local, inngestUrl: 'http://localhost:8288/' });
  const runUrl = async (file: typeof fetch) => (await readDashboardConfig(file, '/')).inngestRunUrl;
  expect(await runUrl(withInngest)).toBe('http://localhost:8288/run?runID={run}');
  expect(await runUrl(answering({ ...local, inngestUrl: null }))).toBeNull();
});

test.each([
  ['<html>', 'expected config.json'],
  [{}, 'supabaseUrl: expected the URL'],
  [{ supabaseUrl: url }, 'publishableKey: expected a key'],
  [{ supabaseUrl: url, publishableKey: 'sb_secret_1' }, 'got a secret one'],
  [{ supabaseUrl: url, publishableKey: legacy('service_role') }, 'got a secret one'],
])('%j is refused', async (file, message) => {
  await expect(readDashboardConfig(answering(file), '/')).rejects.toThrow(message);
});
