import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { memoryFolder } from '../../tests/support/memory-folder.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { startPostgres, type PostgresServer } from './postgres.ts';

let folder: string;
const running = new Set<PostgresServer>();

beforeEach(async () => {
  folder = await mkdtemp(join(memoryFolder(), 'postgres-test-'));
  await chmod(folder, 0o755);
});

afterEach(async () => {
  for (const server of running) await server.stop();
  running.clear();
  await rm(folder, { recursive: true, force: true });
});

async function start(
  options: { port?: number; persistent?: boolean; settings?: Record<string, string> } = {},
) {
  const dataDir = join(folder, 'data');
  const server = await startPostgres({ dataDir, persistent: true, log: silentLogger, ...options });
  running.add(server);
  return server;
}

async function stop(server: PostgresServer) {
  await server.stop();
  running.delete(server);
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

/** A process that starts Postgres in the folder and prints its URL; `before` runs in it first. */
async function startInChild(before = '', { name = 'data', port }: { name?: string; port?: number } = {}) {
  const script = `${before}
    import { startPostgres } from ${JSON.stringify(fileURLToPath(new URL('./postgres.ts', import.meta.url)))};
    const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
    const dataDir = ${JSON.stringify(join(folder, name))};
    console.log((await startPostgres({ dataDir, port: ${port}, persistent: true, log })).url);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { child, url: url.trim() };
}

async function serverPid(): Promise<number> {
  return Number((await readFile(join(folder, 'data/postmaster.pid'), 'utf8')).split('\n')[0]);
}

test('a new cluster speaks UTF-8, sorts by code point, lives in UTC and takes settings', async () => {
  const server = await start({ settings: { max_connections: '17' } });
  const [row] = await query(
    server.url,
    `select current_setting('server_encoding') as encoding, current_setting('timezone') as timezone,
       current_setting('max_connections') as connections, datcollate as collate
     from pg_database where datname = current_database()`,
  );
  expect(row).toEqual({ encoding: 'UTF8', timezone: 'UTC', connections: '17', collate: 'C.UTF-8' });
});

test('data is kept between runs of a persistent server', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 42 as answer');
  await stop(first);
  const second = await start();
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test('a server that is not persistent leaves no folder behind', async () => {
  const server = await start({ persistent: false });
  await stop(server);
  await expect(stat(join(folder, 'data'))).rejects.toThrow('ENOENT');
});

test('a busy port is left to its owner', async () => {
  const neighbour = createServer().listen(0, '127.0.0.1');
  await once(neighbour, 'listening');
  const { port } = neighbour.address() as { port: number };
  const server = await start({ port });
  expect(server.port).not.toBe(port);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  neighbour.close();
});

test('two that want the same port at the same time both get a server of their own', async () => {
  const { port } = await start();
  const names = ['one', 'two'];
  // Initialised before, so that both look for a port at the same moment.
  for (const name of names)
    await stop(await startPostgres({ dataDir: join(folder, name), persistent: true, log: silentLogger }));
  const children = await Promise.all(
    names.map(async (name) => await startInChild('', { name, port: port + 1 })),
  );
  for (const [index, { url }] of children.entries())
    expect(await query(url, 'show data_directory')).toEqual([
      { data_directory: join(folder, names[index] ?? '') },
    ]);
  for (const { child } of children) child.kill('SIGTERM');
  await Promise.all(children.map(({ child }) => once(child, 'exit')));
});

test('a failed start says which port, which folder and why', async () => {
  const failure = start({ settings: { no_such_setting: '1' } });
  await expect(failure).rejects.toThrow(/port \d+ with folder .*data.*no_such_setting/s);
});

test('a folder that only root may enter is no obstacle', async () => {
  await mkdir(join(folder, 'closed'), { mode: 0o700 });
  const dataDir = join(folder, 'closed', 'data');
  const server = await startPostgres({ dataDir, persistent: true, log: silentLogger });
  running.add(server);
  expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('after kill -9 of its owner the next start stops the orphan and finds the data', async () => {
  const { child, url } = await startInChild();
  await query(url, 'create table survivor as select 42 as answer');
  const orphan = await serverPid();
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await query(url, 'select answer from survivor')).toEqual([{ answer: 42 }]);
  const server = await start();
  expect(() => process.kill(orphan, 0)).toThrow('ESRCH');
  expect(await query(server.url, 'select answer from survivor')).toEqual([{ answer: 42 }]);
});

test('a server whose owner lives is left alone', async () => {
  const { child, url } = await startInChild();
  await expect(start()).rejects.toThrow(`belongs to the running process ${child.pid}`);
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  child.kill('SIGTERM');
  await once(child, 'exit');
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s of its owner ends the server', async (signal) => {
  const { child } = await startInChild();
  const pid = await serverPid();
  child.kill(signal);
  await once(child, 'exit');
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 20_000 });
});

test('the end of its owner ends the server and keeps the exit code', async () => {
  const { child } = await startInChild(`process.stdin.on('data', () => process.exit(7));`);
  const pid = await serverPid();
  child.stdin.write('end now');
  expect(await once(child, 'exit')).toEqual([7, null]);
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 20_000 });
});

test('a pid file left by a process that is gone, or is another program now, does not block', async () => {
  await stop(await start());
  const pidFile = join(folder, 'data/postmaster.pid');
  for (const pid of [4_000_000, process.pid]) {
    await writeFile(pidFile, `${pid}\n${join(folder, 'data')}\n0\n5432\n\n127.0.0.1\n`);
    const server = await start();
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await stop(server);
  }
});
