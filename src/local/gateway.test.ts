import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { testKeys } from '../../tests/support/drivers.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { startGateway, type Gateway } from './gateway.ts';

let database: TestDatabase;
let gateway: Gateway;
const functions = vi.fn<(name: string, request: Request) => Promise<Response | undefined>>();

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(`
    create function who() returns jsonb language sql as $$
      select jsonb_build_object('role', current_user, 'sub', current_setting('request.jwt.claims', true)::jsonb -> 'sub') $$;
    create function shout(word text) returns text language sql as $$ select upper(word) || '!' $$;
    create function nothing() returns void language sql as 'select 1';
    create function refuse(code text) returns void language plpgsql as $$
      begin raise exception 'no' using errcode = code; end $$;
    create function secret() returns integer language sql as 'select 1';
    revoke execute on function secret() from public, anon, authenticated;
  `);
  gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, functions, log: silentLogger });
});
afterEach(() => functions.mockReset());
afterAll(async () => {
  await gateway.close();
  await database.close();
});

async function post(
  name: string,
  body: unknown,
  headers: Record<string, string> = { apikey: testKeys.secret },
) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const options = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text };
  const response = await fetch(`${gateway.url}/rest/v1/rpc/${name}`, options);
  const answer = await response.text();
  return { status: response.status, body: answer === '' ? null : (JSON.parse(answer) as unknown) };
}

async function token(claims: Record<string, unknown>, secret = testKeys.jwtSecret, expires = '1h') {
  const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(expires);
  return await jwt.sign(new TextEncoder().encode(secret));
}

test('the key decides the role', async () => {
  const anon = { status: 200, body: { role: 'anon', sub: null } };
  const service = { status: 200, body: { role: 'service_role', sub: null } };
  expect(await post('who', {}, { apikey: testKeys.publishable })).toEqual(anon);
  expect(await post('who', {}, { apikey: testKeys.secret })).toEqual(service);
  expect(await post('who', {}, { authorization: `Bearer ${testKeys.secret}` })).toEqual(service);
  expect(await post('who', {}, { apikey: await token({ role: 'service_role' }) })).toEqual(service);
});

test('a user’s token goes before the publishable key, and SQL sees its claims', async () => {
  const bearer = `Bearer ${await token({ role: 'authenticated', sub: "o'Hara" })}`;
  const answer = await post('who', {}, { apikey: testKeys.publishable, authorization: bearer });
  expect(answer.body).toEqual({ role: 'authenticated', sub: "o'Hara" });
});

const foreign = async () => ({ apikey: await token({ role: 'service_role' }, 'x'.repeat(40)) });
const expired = async () => ({ apikey: await token({ role: 'service_role' }, undefined, '-1h') });
const superuser = async () => ({ apikey: await token({ role: 'postgres' }) });
const roleless = async () => ({ apikey: await token({}) });

test.each<[string, string, () => Record<string, string> | Promise<Record<string, string>>]>([
  ['no key', 'No API key found in request', () => ({})],
  ['a wrong key', 'Invalid API key', () => ({ apikey: 'sb_secret_wrong' })],
  ['a bad token', 'Invalid API key', () => ({ apikey: testKeys.secret, authorization: 'Bearer no' })],
  ['a foreign signature', 'Invalid API key', foreign],
  ['an expired token', 'JWT expired', expired],
  ['a token for another role', 'Invalid API key', superuser],
  ['a token without a role', 'Invalid API key', roleless],
])('%s is 401 and says so in JSON, without the key', async (_, message, headers) => {
  const { status, body } = await post('who', {}, await headers());
  expect(status).toBe(401);
  expect(body).toMatchObject({ message });
  expect(JSON.stringify(body)).not.toContain('sb_secret');
});

test('void is 204, an empty body calls without arguments', async () => {
  expect(await post('nothing', '')).toEqual({ status: 204, body: null });
});

test.each([
  ['P0001', 400],
  ['22P02', 400],
  ['23505', 409],
  ['23503', 409],
  ['42501', 403],
  ['40001', 500],
  ['53300', 503],
  ['57014', 500],
  ['PT413', 413],
  ['PT503', 503],
])('SQLSTATE %s is status %i', async (code, status) => {
  const body = { code, message: 'no', details: null, hint: null };
  expect(await post('refuse', { code })).toEqual({ status, body });
});

test('a forbidden function is 401 for anon, who might log in, and 403 for a user', async () => {
  const message = 'permission denied for function secret';
  const anon = await post('secret', {}, { apikey: testKeys.publishable });
  expect(anon).toMatchObject({ status: 401, body: { code: '42501', message } });
  const user = await post('secret', {}, { apikey: await token({ role: 'authenticated' }) });
  expect(user).toMatchObject({ status: 403, body: { code: '42501', message } });
});

test('an unknown function is 404 with PostgREST’s body', async () => {
  expect(await post('no_such', { a: 1 })).toEqual({
    status: 404,
    body: {
      code: 'PGRST202',
      message: 'Could not find the function public.no_such(a) in the schema cache',
      details:
        'Searched for the function public.no_such with parameters a, but no matches were found in the schema cache.',
      hint: null,
    },
  });
});

test.each([['{"word": '], ['[1]'], ['"word"'], ['null']])('the body %s is 400', async (body) => {
  expect(await post('shout', body)).toMatchObject({ status: 400, body: { code: 'PGRST102' } });
});

test('a body over 20 MB is 413, one below it is read', async () => {
  expect((await post('shout', { word: 'x'.repeat(21 * 1024 * 1024) })).status).toBe(413);
  expect((await post('shout', { word: 'x'.repeat(1024 * 1024) })).status).toBe(200);
});

test('a refused body, however long, leaves the connection to the caller’s next request', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = async (apikey: string, word: string) => {
    const options = { method: 'POST', agent, headers: { apikey, 'content-type': 'application/json' } };
    const sent = request(`${gateway.url}/rest/v1/rpc/shout`, options).end(JSON.stringify({ word }));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode, body: await text(response), reused: sent.reusedSocket };
  };
  expect(await send('a stranger', 'x'.repeat(400_000))).toMatchObject({ status: 401, reused: false });
  expect(await send(testKeys.secret, 'hi')).toEqual({ status: 200, body: '"HI!"', reused: true });
  agent.destroy();
});

test('names and claims cannot smuggle SQL', async () => {
  const name = encodeURIComponent('who(); drop table background_jobs; --');
  expect((await post(name, {})).status).toBe(404);
  const claims = { role: 'authenticated', sub: "'; reset role; --" };
  const answer = await post('who', {}, { apikey: await token(claims) });
  expect(answer.body).toEqual({ role: 'authenticated', sub: claims.sub });
});

test('the role ends with the call', async () => {
  await post('refuse', { code: 'P0001' }, { apikey: testKeys.publishable });
  await post('who', {}, { apikey: testKeys.publishable });
  expect((await post('who', {})).body).toMatchObject({ role: 'service_role' });
});

test('without a database it is 503 in JSON, and healthy again with one', async () => {
  const databaseUrl = 'postgres://postgres:postgres@127.0.0.1:1/postgres';
  const lost = await startGateway({ databaseUrl, keys: testKeys, log: silentLogger });
  const options = { method: 'POST', headers: { apikey: testKeys.secret } };
  const response = await fetch(`${lost.url}/rest/v1/rpc/who`, options);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: 'PGRST000' });
  expect((await fetch(`${lost.url}/health`)).status).toBe(503);
  expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
  await lost.close();
});

test('a function gets method, path, headers and body, and its answer streams back', async () => {
  functions.mockImplementation((name, request) => {
    const seen = { name, method: request.method, query: new URL(request.url).search };
    const headers = { 'x-seen': JSON.stringify({ ...seen, trace: request.headers.get('x-trace') }) };
    return Promise.resolve(new Response(request.body, { status: 202, headers }));
  });
  const options = { method: 'POST', headers: { 'x-trace': '17' }, body: 'the body' };
  const response = await fetch(`${gateway.url}/functions/v1/process-job?a=1`, options);
  expect(response.status).toBe(202);
  const seen = { name: 'process-job', method: 'POST', query: '?a=1', trace: '17' };
  expect(JSON.parse(response.headers.get('x-seen') ?? '')).toEqual(seen);
  expect(await response.text()).toBe('the body');
});

test('an unknown function or path is 404, a function that cannot be reached 503', async () => {
  functions.mockResolvedValueOnce(undefined);
  expect((await fetch(`${gateway.url}/functions/v1/nobody`)).status).toBe(404);
  expect((await fetch(`${gateway.url}/rest/v1/background_jobs`)).status).toBe(404);
  functions.mockRejectedValueOnce(new Error('refused'));
  expect((await fetch(`${gateway.url}/functions/v1/process-job`)).status).toBe(503);
});
