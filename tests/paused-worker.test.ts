import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createJobQueue } from '../src/queue/job-queue.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from './support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.pool.query(`
    create table late_writes (at timestamptz not null);
    create function write_late() returns void language sql as 'insert into public.late_writes values (now())'`);
});
afterAll(async () => {
  await expectSoundQueue(database.pool);
  await database.close();
});

it('a process that was stopped for longer than its lease changes nothing when it goes on', async () => {
  const queue = createJobQueue(database.rpc);
  const entry = fileURLToPath(new URL('support/paused-worker-entry.ts', import.meta.url));
  const child = fork(entry, [database.url]);
  const [job] = await queue.enqueue([{ type: 'test/paused', lane: 'worker' }]);
  const id = job?.id ?? '';
  expect(await once(child, 'message')).toContain('about to write');

  child.kill('SIGSTOP');
  const claimedByUs = await vi.waitUntil(
    async () => {
      await queue.sweep();
      return await queue.claimOne(id, 'this test', 60);
    },
    { timeout: 60_000, interval: 50 },
  );
  const told = once(child, 'message');
  child.send('go');
  child.kill('SIGCONT');

  const [wrote] = (await told) as [string];
  expect(wrote).not.toBe('written');
  // It ends when its job has its outcome.
  child.send('stop');
  await once(child, 'exit');
  expect((await database.pool.query('select from late_writes')).rows).toEqual([]);
  expect(await queue.get(id)).toMatchObject({ status: 'processing', result: null });
  const { leaseToken } = claimedByUs;
  await queue.complete([{ jobId: id, leaseToken, result: 'ours' }]);
  expect(await queue.get(id)).toMatchObject({ status: 'completed', result: 'ours', retryCount: 1 });
});
