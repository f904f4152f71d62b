import { createAdaptorServer } from '@hono/node-server';
import { afterEach, expect, test } from 'vitest';
import { listen, type Listening } from './listen.ts';

const open: Listening[] = [];
afterEach(async () => {
  for (const listening of open.splice(0)) await listening.close();
});

async function start(name: string, port?: number): Promise<string> {
  const listening = await listen(createAdaptorServer({ fetch: () => new Response(name) }), port);
  open.push(listening);
  return listening.url;
}

const ask = async (url: string): Promise<string> => await (await fetch(url)).text();

test('servers that want the same port at the same time all get one', async () => {
  const wanted = Number(new URL(await start('first')).port);
  const urls = await Promise.all(['second', 'third'].map((name) => start(name, wanted)));
  expect(await Promise.all(urls.map(ask))).toEqual(['second', 'third']);
});

test('a free port is taken as wanted, again after it was closed', async () => {
  const url = await start('first');
  await open.pop()?.close();
  expect(await start('second', Number(new URL(url).port))).toBe(url);
});
