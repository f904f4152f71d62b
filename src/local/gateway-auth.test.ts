import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { testKeys } from '../../tests/support/drivers.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { startGateway, type Gateway } from './gateway.ts';
import { createOperatorSessions, type OperatorSessions } from './operator-sessions.ts';

let database: TestDatabase;
let gateway: Gateway;
let sessions: OperatorSessions;
const browsers: SupabaseClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  sessions = createOperatorSessions(testKeys.jwtSecret);
  gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, sessions, log: silentLogger });
});
afterAll(async () => {
  for (const browser of browsers) await browser.auth.stopAutoRefresh();
  await gateway.close();
  await database.close();
});

/** supabase-js as a browser runs it, with the key that is no secret. */
function openBrowser(): SupabaseClient {
  const browser = createClient(gateway.url, testKeys.publishable, { auth: { persistSession: false } });
  browsers.push(browser);
  return browser;
}

const follow = (browser: SupabaseClient, code: string) =>
  browser.auth.verifyOtp({ token_hash: code, type: 'magiclink' });

test('the link signs an operator in, who may look at jobs', async () => {
  const browser = openBrowser();
  expect((await browser.rpc('operator_jobs')).error).toMatchObject({ code: '42501' });
  const { data, error } = await follow(browser, sessions.issueCode());
  expect(error).toBeNull();
  expect(data.user?.email).toBe('operator@localhost');
  expect((await browser.rpc('operator_jobs')).data).toEqual({ jobs: [], next: null, searched_to: null });
  expect((await browser.auth.getUser()).data.user?.app_metadata['role']).toBe('job_operator');
});

test('an access token lasts an hour, and is refreshed', async () => {
  const browser = openBrowser();
  const { data } = await follow(browser, sessions.issueCode());
  const { exp = 0, iat = 0 } = decodeJwt(data.session?.access_token ?? '');
  expect(exp - iat).toBe(3600);
  const refreshed = await browser.auth.refreshSession();
  expect(refreshed.error).toBeNull();
  expect((await browser.rpc('operator_audit')).data).toEqual([]);
});

test('the link works once', async () => {
  const code = sessions.issueCode();
  expect((await follow(openBrowser(), code)).error).toBeNull();
  const { data, error } = await follow(openBrowser(), code);
  expect(data.session).toBeNull();
  expect(error).toMatchObject({ status: 403, code: 'otp_expired' });
  expect(error?.message).toContain('npm start prints a new one');
});

test('who signs out is signed out', async () => {
  const browser = openBrowser();
  const { data } = await follow(browser, sessions.issueCode());
  expect((await browser.auth.signOut()).error).toBeNull();
  expect((await browser.rpc('operator_jobs')).error).toMatchObject({ code: '42501' });
  const token = data.session?.refresh_token ?? '';
  const { error } = await browser.auth.refreshSession({ refresh_token: token });
  expect(error).toMatchObject({ status: 400, code: 'refresh_token_not_found' });
  expect((await browser.auth.getUser(data.session?.access_token)).error).not.toBeNull();
});

test('a session of another stack is refused, and the answer says what to do', async () => {
  const elsewhere = createOperatorSessions('another secret of more than thirty-two characters');
  const session = await elsewhere.redeem(elsewhere.issueCode());
  const { error } = await openBrowser().auth.refreshSession({ refresh_token: session?.refresh_token ?? '' });
  expect(error?.message).toContain('open the link that npm start prints');
  const { data } = await openBrowser().auth.getUser(session?.access_token);
  expect(data.user).toBeNull();
});

test('there are no passwords', async () => {
  const { error } = await openBrowser().auth.signInWithPassword({
    email: 'a@example.com',
    password: 'secret',
  });
  expect(error).toMatchObject({ status: 400, code: 'invalid_credentials' });
});

test.each([
  ['nothing', ''],
  ['no JSON', '{'],
  ['another field', '{"token":"1"}'],
  ['a number', '{"token_hash":1}'],
])('%s in place of a code is 400', async (_, body) => {
  const headers = { apikey: testKeys.publishable, 'content-type': 'application/json' };
  const response = await fetch(`${gateway.url}/auth/v1/verify`, { method: 'POST', headers, body });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: 'validation_failed' });
});

test('without a key there is no answer but 401', async () => {
  const response = await fetch(`${gateway.url}/auth/v1/user`);
  expect(response.status).toBe(401);
});

test('a page of another address may ask: the browser’s preflight passes', async () => {
  const response = await fetch(`${gateway.url}/auth/v1/verify`, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://127.0.0.1:8888',
      'access-control-request-method': 'POST',
      'access-control-request-headers':
        'apikey,authorization,content-type,x-client-info,x-supabase-api-version',
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  expect(response.headers.get('access-control-allow-headers')).toContain('x-supabase-api-version');
});
