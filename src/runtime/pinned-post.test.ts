import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer as createPlainServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { createServer } from 'node:tls';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { denoPath } from '../local/deno-path.ts';
import { listen, type Listening } from '../local/listen.ts';
import { pinnedPost, type PostInit } from './pinned-post.ts';

/** A name that no resolver knows: who reaches a server by it has not asked one. */
const name = 'hooks.invalid';
const init: PostInit = { headers: {}, body: '{"a":"ü"}', signal: new AbortController().signal };
let receiver: Listening;
let received: { path: string; host: string | null; body: string }[];

beforeAll(async () => {
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    received.push({ path: pathname + search, host: request.headers.get('host'), body: await request.text() });
    return new Response('nobody reads this', { status: 429, headers: { 'retry-after': '7' } });
  };
  receiver = await listen(createAdaptorServer({ fetch }));
});
beforeEach(() => void (received = []));
afterAll(async () => await receiver.close());

const urlOf = (path: string): string => receiver.url.replace('127.0.0.1', name) + path;

/** The same call in Deno, with the permissions of the platform. */
async function inDeno(url: string): Promise<string> {
  const module = JSON.stringify(new URL('./pinned-post.ts', import.meta.url).href);
  const args = ['run', '--no-prompt', '--no-config', '--allow-net', '--allow-env', '--allow-sys=ca', '-'];
  const deno = spawn(denoPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  deno.stdin.end(`
    import { pinnedPost } from ${module};
    const init = { headers: {}, body: '{"a":"ü"}', signal: new AbortController().signal };
    const say = (response) => response.status + ' ' + response.headers.get('retry-after');
    console.log(await pinnedPost(['127.0.0.1'], ${JSON.stringify(url)}, init).then(say, (error) => error.message));
  `);
  return (await text(deno.stdout)).trim();
}

test('reaches the given address under the name of the URL', async () => {
  const answer = await pinnedPost(['127.0.0.1'], urlOf('/hook?from=queue'), init);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
  expect(received).toEqual([{ path: '/hook?from=queue', host: new URL(urlOf('')).host, body: '{"a":"ü"}' }]);
});

test('does so in Deno, too', async () => {
  expect(await inDeno(urlOf('/hook'))).toBe('429 7');
  expect(received).toEqual([{ path: '/hook', host: new URL(urlOf('')).host, body: '{"a":"ü"}' }]);
});

test.each(['Node', 'Deno'])('asks for the certificate of the name, in %s', async (host) => {
  const asked = Promise.withResolvers<string>();
  const server = createServer({
    SNICallback(servername, done) {
      asked.resolve(servername);
      done(new Error('no certificate'));
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://${name}:${(server.address() as AddressInfo).port}/`;
  if (host === 'Deno') expect(await inDeno(url)).not.toContain('Requires');
  else await expect(pinnedPost(['127.0.0.1'], url, init)).rejects.toThrow();
  expect(await asked.promise).toBe(name);
  server.close();
});

test('rejects an answer that is not HTTP’s, and leaves the process alive', async () => {
  const server = createPlainServer((socket) =>
    socket.end('HTTP/1.1 999 Whatever\r\ncontent-length: 0\r\n\r\n'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://${name}:${(server.address() as AddressInfo).port}/`;
  await expect(pinnedPost(['127.0.0.1'], url, init)).rejects.toThrow(RangeError);
  server.close();
});

test('is given up with its signal, and refused without an address', async () => {
  const signal = AbortSignal.abort(new Error('no longer wanted'));
  await expect(pinnedPost(['127.0.0.1'], urlOf('/'), { ...init, signal })).rejects.toThrow();
  await expect(pinnedPost([], urlOf('/'), init)).rejects.toThrow(`no address for ${name}`);
  expect(received).toEqual([]);
});
