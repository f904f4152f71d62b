import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from './support/cli.ts';

/** What the Dev Server's event API got. */
const received: { path: string | undefined; events: unknown }[] = [];
let devServer: Server;
let url: string;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'send-'));
  devServer = createServer((request, response) => {
    void answer(request).then((body) => response.end(JSON.stringify(body)));
  });
  devServer.listen(0, '127.0.0.1');
  await once(devServer, 'listening');
  url = `http://127.0.0.1:${(devServer.address() as AddressInfo).port}`;
});
afterAll(async () => {
  devServer.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function answer(request: IncomingMessage): Promise<object> {
  if (request.method !== 'POST') return {};
  received.push({ path: request.url, events: JSON.parse(await text(request)) });
  return { ids: ['event-of-the-dev-server'], status: 200 };
}

test('send goes to the Inngest Dev Server when it is reachable, and says so', async () => {
  const running = runCli(
    'send',
    ['--data-dir', dataDir, '--id', 'my-event', 'system/ping', '{"hello":"world"}'],
    {
      INNGEST_DEV: url,
      SUPABASE_URL: 'http://127.0.0.1:1',
      SUPABASE_SECRET_KEY: 'sb_secret_of_nothing',
    },
  );
  expect(await running.ended).toBe(0);
  expect(running.output()).toContain(`Sent system/ping to the Inngest Dev Server at ${url}`);
  expect(running.output()).toContain('event-of-the-dev-server');
  expect(received).toMatchObject([
    {
      path: expect.stringMatching(/^\/e\//) as string,
      events: [{ id: 'my-event', name: 'system/ping', data: { hello: 'world' } }],
    },
  ]);
});
