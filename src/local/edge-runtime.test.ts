import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Logger } from '../runtime/logger.ts';
import { denoPath } from './deno-path.ts';
import { startEdgeRuntime, type EdgeRuntime, type EdgeRuntimeOptions } from './edge-runtime.ts';

/** Answers with what it sees, works in the background on request, and says when it is told to end. */
const echoFunction = `
addEventListener('beforeunload', (event) => console.log('beforeunload', event.detail.reason));
Deno.serve(async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname.endsWith('/crash')) Deno.exit(7);
  if (pathname.endsWith('/silence')) await new Promise(() => {});
  if (pathname.endsWith('/read')) return new Response(await Deno.readTextFile('/etc/hostname').catch((e) => e.name));
  const work = Number(new URL(request.url).searchParams.get('work') ?? 0);
  if (work > 0)
    EdgeRuntime.waitUntil(new Promise((done) => setTimeout(done, work)).then(() => console.log('work done')));
  const { GREETING, HOME } = Deno.env.toObject();
  return Response.json({ pid: Deno.pid, pathname, body: await request.text(), GREETING, HOME });
});`;

let folder: string;
let runtime: EdgeRuntime | undefined;
let lines: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-runtime-'));
  await writeFile(join(folder, 'echo.ts'), echoFunction);
  await writeFile(join(folder, 'broken.ts'), `throw new Error('no such setting');`);
});
afterEach(() => runtime?.close());
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(options: Partial<EdgeRuntimeOptions> = {}): EdgeRuntime {
  lines = [];
  runtime = startEdgeRuntime({
    functions: { echo: join(folder, 'echo.ts'), broken: join(folder, 'broken.ts') },
    env: { GREETING: 'hello' },
    denoPath,
    cacheDir: join(folder, 'deno'),
    log: recordingLogger(),
    ...options,
  });
  return runtime;
}

function recordingLogger(): Logger {
  const record = (_fields: object, message: string) => void lines.push(message);
  const logger: Logger = { debug: record, info: record, warn: record, error: record, child: () => logger };
  return logger;
}

const call = async (path: string, init?: RequestInit) =>
  await runtime!.handle('echo', new Request(`http://localhost/functions/v1/echo${path}`, init));
const servedBy = async (path = '') => ((await (await call(path)).json()) as { pid: number }).pid;
const until = (assertion: () => void | Promise<void>) =>
  vi.waitFor(assertion, { timeout: 45_000, interval: 100 });

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('starts a function on its first request, once, and keeps it for the next ones', async () => {
  start();
  expect(runtime!.isolates()).toEqual([]);
  const [first, second] = await Promise.all([servedBy(), servedBy()]);
  expect(second).toBe(first);
  expect(await servedBy()).toBe(first);
  expect(runtime!.isolates()).toMatchObject([{ name: 'echo', pid: first, state: 'serving' }]);
});

test('the function sees the request, its own environment and none of the host, and no files', async () => {
  start();
  const answer = await call('/deeper', { method: 'POST', body: 'grüße' });
  expect(await answer.json()).toMatchObject({ pathname: '/echo/deeper', body: 'grüße', GREETING: 'hello' });
  expect(await (await call('/')).json()).not.toHaveProperty('HOME');
  expect(await (await call('/read')).text()).toBe('NotCapable');
});

test('at half of its wall time a child gets no new requests, finishes its work and leaves', async () => {
  start({ wallSeconds: 20 });
  const first = await servedBy('?work=11000');
  await until(async () => expect(await servedBy()).not.toBe(first));
  expect(runtime!.isolates()).toContainEqual(expect.objectContaining({ pid: first, state: 'retired' }));
  await until(() => expect(runtime!.isolates().map(({ pid }) => pid)).not.toContain(first));
  expect(lines).toContain('work done');
  expect(lines).not.toContain('beforeunload wall_clock');
});

test('a child that works on is told before its wall time ends, and then killed', async () => {
  start({ wallSeconds: 5 });
  const first = await servedBy('?work=600000');
  await until(() => expect(isAlive(first)).toBe(false));
  expect(lines).toContain('beforeunload wall_clock');
  expect(lines).not.toContain('work done');
});

test('a child that crashed is replaced on the next request', async () => {
  start();
  const first = await servedBy();
  const answer = await call('/crash');
  expect(answer.status).toBe(546);
  expect(await answer.json()).toMatchObject({ code: 'WORKER_LIMIT' });
  const second = await vi.waitFor(
    async () => {
      const pid = await servedBy();
      expect(pid).toBeTypeOf('number');
      return pid;
    },
    { timeout: 45_000, interval: 100 },
  );
  expect(second).not.toBe(first);
  process.kill(second, 'SIGKILL');
  await until(async () => expect([first, second]).not.toContain(await servedBy()));
});

test('a function that cannot start answers 503 with its last words; an unknown one 404; a silent one 504', async () => {
  start({ responseSeconds: 1 });
  const broken = await runtime!.handle('broken', new Request('http://localhost/broken'));
  expect(broken.status).toBe(503);
  expect(await broken.json()).toMatchObject({ code: 'BOOT_ERROR' });
  expect(lines.join('\n')).toContain('no such setting');
  expect((await runtime!.handle('nothing', new Request('http://localhost/nothing'))).status).toBe(404);
  await until(async () => expect((await call('')).status).toBe(200));
  expect((await call('/silence')).status).toBe(504);
});

test('closing tells the children, waits for their work, and leaves no process behind', async () => {
  start({ graceSeconds: 30 });
  const pid = await servedBy('?work=2000');
  await runtime!.close();
  expect(isAlive(pid)).toBe(false);
  expect(lines).toEqual(expect.arrayContaining(['beforeunload termination', 'work done']));
  expect((await call('')).status).toBe(503);
});

test('a child whose work does not end is killed after the grace period', async () => {
  start({ graceSeconds: 1 });
  const pid = await servedBy('?work=600000');
  await runtime!.close();
  expect(isAlive(pid)).toBe(false);
});

test('children do not outlive a host that was killed', async () => {
  const module = fileURLToPath(new URL('./edge-runtime.ts', import.meta.url));
  const options = {
    functions: { echo: join(folder, 'echo.ts') },
    env: {},
    denoPath,
    cacheDir: join(folder, 'deno'),
  };
  const script = `
    const { startEdgeRuntime } = await import(${JSON.stringify(module)});
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
    const runtime = startEdgeRuntime({ ...${JSON.stringify(options)}, log });
    const answer = await runtime.handle('echo', new Request('http://localhost/echo?work=600000'));
    process.stdout.write(String((await answer.json()).pid));`;
  const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pid = await new Promise<number>((resolve) =>
    host.stdout.once('data', (data) => resolve(Number(data))),
  );
  expect(isAlive(pid)).toBe(true);
  host.kill('SIGKILL');
  await until(() => expect(isAlive(pid)).toBe(false));
});
