import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type HealthEndpoint, startHealthEndpoint, type WorkerHealth } from './health.ts';

const now = new Date('2026-11-22T12:00:00Z');
let state: WorkerHealth;
let endpoint: HealthEndpoint;

beforeEach(async () => {
  const lastHeartbeat = '2026-11-22T11:59:50Z';
  state = { worker: 'w', lanes: ['worker'], running: 2, idle: false, lastHeartbeat, stopping: false };
  endpoint = await startHealthEndpoint({ port: 0, health: () => state, now: () => now });
});
afterEach(async () => await endpoint.close());

const status = async (path: string, method = 'GET') => (await fetch(endpoint.url + path, { method })).status;

it('is live and ready, and tells what runs', async () => {
  expect([await status('/live'), await status('/ready')]).toEqual([200, 200]);
  expect(await (await fetch(`${endpoint.url}/ready`)).json()).toEqual(state);
});

it.each([
  ['it stops', { stopping: true }],
  ['the database has not heard of it for half a minute', { lastHeartbeat: '2026-11-22T11:59:30Z' }],
  ['the database never heard of it', { lastHeartbeat: null }],
])('is live, but not ready, when %s', async (_, change) => {
  state = { ...state, ...change };
  expect([await status('/live'), await status('/ready')]).toEqual([200, 503]);
});

it('knows nothing else', async () => {
  expect([await status('/'), await status('/live', 'POST'), await status('/readyz')]).toEqual([
    404, 404, 404,
  ]);
});

it('refuses a port that somebody has', async () => {
  const other = createServer().listen(0);
  const { port } = other.address() as AddressInfo;
  await expect(startHealthEndpoint({ port, health: () => state, now: () => now })).rejects.toThrow(
    'EADDRINUSE',
  );
  other.close();
});
