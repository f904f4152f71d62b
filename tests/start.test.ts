import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { processesOn, runCli, type RunningCommand } from './support/cli.ts';

const MINUTES = 60_000;
const READY = 'Ctrl-C stops everything.';

let dataDir: string;
let stacks: RunningCommand[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stack-'));
  stacks = [];
});

afterEach(async () => {
  for (const stack of stacks) stack.signal('SIGTERM');
  await Promise.all(stacks.map(({ ended }) => ended));
  await noProcessIsLeft();
  await rm(dataDir, { recursive: true, force: true });
});

function start(...flags: string[]): RunningCommand {
  const stack = runCli('start', ['--data-dir', dataDir, ...flags]);
  stacks.push(stack);
  return stack;
}

async function run(command: 'send' | 'sql', ...args: string[]): Promise<string> {
  const running = runCli(command, ['--data-dir', dataDir, ...args]);
  expect(await running.ended, running.output()).toBe(0);
  return running.output();
}

/** The table that shows one job. */
const jobOf = (type: string) =>
  run('sql', `select type, lane, status, error from background_jobs where type = '${type}'`);
const noProcessIsLeft = () =>
  vi.waitFor(() => expect(processesOn(dataDir)).toEqual([]), { timeout: 30_000, interval: 200 });

describe('npm start -- --demo', { timeout: 4 * MINUTES }, () => {
  test('takes a quick and a long event through everything, shows the tables, and exits with 0', async () => {
    const demo = start('--demo');
    expect(await demo.ended, demo.output()).toBe(0);
    expect(demo.output()).toMatch(/system\/ping +│ inline +│ completed/);
    expect(demo.output()).toMatch(/capture\/repository\.sync\.graphql +│ edge +│ completed/);
    expect(demo.output()).toMatch(/capture\/pr\.details +│ inline +│ completed/);
    expect(demo.output()).toContain('Success rate (24 h)');
    expect(demo.output()).not.toMatch(/"level":"(warn|error)"/);
    await noProcessIsLeft();
  });

  test('waits for a type that an operator moved to the edge lane', async () => {
    const stack = start();
    await stack.printed(READY);
    await run('sql', "select set_job_lane('capture/pr.details', 'edge')");
    stack.signal('SIGTERM');
    expect(await stack.ended).toBe(0);

    const demo = start('--demo');
    expect(await demo.ended, demo.output()).toBe(0);
    expect(demo.output()).toMatch(/capture\/pr\.details +│ edge +│ completed/);
  });

  test('exits with 1 and the reason when a job fails', async () => {
    const demo = start('--demo', '--repository', 'octo-org/not-there');
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/failed: .*octo-org\/not-there/);
  });
});

describe('npm start', { timeout: 4 * MINUTES }, () => {
  test('takes other ports when its own are taken, and serves the other commands until Ctrl-C', async () => {
    const blockers = await Promise.all([54321, 54322, 54330, 54331, 8888].map(occupy));
    const stack = start();
    await stack.printed(READY);
    expect(stack.output()).not.toMatch(/:(54321|54322|54330|54331|8888)\b/);
    expect(await run('send', 'system/ping', '{"hello":"world"}')).toContain('"status": "completed"');
    expect(await jobOf('system/ping')).toMatch(/inline +│ completed/);

    expect(await signIn(stack)).toMatchObject({ user: { app_metadata: { role: 'job_operator' } } });

    const second = runCli('start', ['--data-dir', dataDir]);
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain('already running');
    expect(second.output()).toContain('/api/inngest');

    stack.signal('SIGINT');
    expect(await stack.ended).toBe(0);
    await noProcessIsLeft();
    blockers.forEach((blocker) => blocker?.close());
  });

  test('starts again after kill -9, with its data and without leftovers', async () => {
    const killed = start();
    await killed.printed(READY);
    await run('send', 'capture/repository.sync.graphql', '{"repository":"octo-org/hello-hybrid"}');
    const sync = 'capture/repository.sync.graphql';
    await vi.waitFor(async () => expect(await jobOf(sync)).toContain('completed'), {
      timeout: MINUTES,
      interval: 500,
    });
    killed.signal('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    expect(processesOn(dataDir)).not.toEqual([]);

    const next = start();
    await next.printed(READY);
    expect(await jobOf(sync)).toMatch(/edge +│ completed/);
    expect(secretKeyOf(next)).toMatch(/^sb_secret_/);
    expect(secretKeyOf(next)).toBe(secretKeyOf(killed));
    expect((await stat(join(dataDir, 'keys.json'))).mode & 0o777).toBe(0o600);
    next.signal('SIGTERM');
    expect(await next.ended).toBe(0);
  });

  test('stops cleanly when it is interrupted while it starts', async () => {
    const stack = start();
    await stack.printed('Starting');
    stack.signal('SIGINT');
    expect(await stack.ended, stack.output()).toBe(130);
    await noProcessIsLeft();
  });
});

/** What a browser does that opens the printed link. */
async function signIn(stack: RunningCommand): Promise<unknown> {
  const link = new URL(/http\S+\/dashboard\/#\S+/.exec(stack.output())?.[0] ?? '');
  const response = await fetch(new URL('config.json', link));
  const { supabaseUrl, publishableKey } = (await response.json()) as Record<string, string>;
  const code = new URLSearchParams(link.hash.slice(1));
  const session = await fetch(`${supabaseUrl}/auth/v1/verify`, {
    method: 'POST',
    headers: { apikey: publishableKey ?? '', 'content-type': 'application/json' },
    body: JSON.stringify({ token_hash: code.get('token_hash'), type: code.get('type') }),
  });
  return await session.json();
}

const secretKeyOf = (stack: RunningCommand) => /sb_secret_[\w-]{32}/.exec(stack.output())?.[0];

/** Undefined when somebody else has the port already. */
async function occupy(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
