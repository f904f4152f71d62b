import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { catalog } from '../src/jobs/catalog.ts';
import { blocksByHeading, type Block, type Role } from './operations/runbook.ts';
import { createWorld, symptoms, type World } from './operations/symptoms.ts';
import { type RunningCommand, runCli } from './support/cli.ts';
import { createTestDatabase, expectSoundQueue } from './support/database.ts';

let world: World;
let dataDir: string;
let commands: RunningCommand[];
let operator: pg.Client | undefined;

beforeEach(async () => {
  world = createWorld(await createTestDatabase());
  dataDir = await mkdtemp(join(tmpdir(), 'operations-'));
  commands = [];
  operator = undefined;
});
afterEach(async () => {
  commands.forEach((command) => command.signal('SIGKILL'));
  await Promise.all(commands.map(({ ended }) => ended));
  await operator?.end();
  await expectSoundQueue(world.database.pool);
  await world.database.close();
  await rm(dataDir, { recursive: true });
});

/** As in the SQL editor: a session of one's own, and all statements of a block at once. */
async function runSql(code: string): Promise<Record<string, unknown>[]> {
  if (!operator) {
    operator = new pg.Client({ connectionString: world.database.url });
    await operator.connect();
  }
  const results: unknown = await operator.query(code);
  const last = (Array.isArray(results) ? results.at(-1) : results) as pg.QueryResult<Record<string, unknown>>;
  return last.rows;
}

/** Starts the command and leaves it running. */
async function runShell(code: string): Promise<void> {
  const [, command = '', args = ''] = /^npm run (\w+) -- (.*)\n$/.exec(code) ?? [];
  const started = runCli(command, [...args.split(' '), '--data-dir', dataDir], {
    DATABASE_URL: world.database.url,
  });
  commands.push(started);
  await started.printed('Ctrl-C stops');
}

async function run({ language, code }: Block, patience?: string): Promise<Record<string, unknown>[]> {
  const impatient = patience === undefined ? code : code.replaceAll(patience, `interval '0 seconds'`);
  if (language === 'sql') return await runSql(impatient);
  expect(language).toBe('sh');
  await runShell(code);
  return [];
}

describe('docs/operations.md', () => {
  test('has no symptom that is not brought about here, and no block that no test runs', () => {
    const others = ['Operations', 'Upgrade', 'Backup and restore'];
    expect([...blocksByHeading.keys()].toSorted()).toEqual([...Object.keys(symptoms), ...others].toSorted());
  });

  test('begins with what helps when nobody knows the symptom', async () => {
    await world.queue.syncJobTypes(catalog);
    await world.queue.enqueue([{ type: 'system/ping', lane: 'edge' }]);
    await runSql(`select pause_job_type('system/ping')`);
    for (const block of blocksByHeading.get('Operations') ?? []) {
      expect(await run(block)).toMatchObject([
        { type: 'system/ping', why: expect.stringContaining('paused') as string },
      ]);
    }
  });

  test('shows the migrations that a database has', async () => {
    for (const block of blocksByHeading.get('Upgrade') ?? []) expect(await run(block)).toHaveLength(5);
  });

  describe.each(Object.entries(symptoms))('%s', (heading, symptom) => {
    test('can be seen, and ended', async () => {
      const blocks = blocksByHeading.get(heading) ?? [];
      const of = (role: Role) => blocks.filter((block) => block.role === role);
      const [see, ...more] = of('see');
      if (!see || more.length > 0) throw new Error(`${heading}: expected one block to see it`);
      expect(of('end')).not.toEqual([]);
      expect(await run(see, symptom.patience)).toEqual([]);
      await operator?.end();
      operator = undefined;

      const undo = await symptom.bring(world);
      expect(await run(see, symptom.patience)).toMatchObject(symptom.shows);
      for (const block of of('look')) await run(block, symptom.patience);
      for (const [n, block] of of('end').entries()) {
        await run(block, symptom.patience);
        await symptom.afterEnd?.[n]?.(world);
      }
      await vi.waitFor(async () => expect(await run(see, symptom.patience)).toEqual([]), {
        timeout: 60_000,
        interval: 50,
      });
      await undo?.();
    });
  });
});
