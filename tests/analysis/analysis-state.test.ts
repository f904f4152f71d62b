import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { expectSoundQueue } from '../support/database.ts';
import { expireLease } from '../support/killed-attempt.ts';
import { type AnalysisWorld, startAnalysisWorld } from './analysis-world.ts';

let world: AnalysisWorld;
let analysisId: string;
let jobId: string;
/** Arguments of `begin_analysis`. */
let begin: { analysis_id: string; user_id: string; repository_id: string; job_id: string };

beforeAll(async () => {
  world = await startAnalysisWorld();
});
afterAll(() => world.close());
afterEach(() => expectSoundQueue(world.database.pool));

async function start(): Promise<void> {
  const repository = world.repositories['octo-org/busy'];
  const user = crypto.randomUUID();
  ({ analysisId, jobId } = await world.start(user, repository));
  begin = { analysis_id: analysisId, user_id: user, repository_id: repository, job_id: jobId };
}

async function state(): Promise<[status: string, error: string | null]> {
  const { status, error } = await world.analysis(analysisId);
  return [status, error];
}

const sql = async (statement: string): Promise<unknown> =>
  await world.database.pool.query(statement, [jobId]);

describe('an analysis goes into error, in the same transaction,', () => {
  it.each([
    [
      'is set to failed by hand',
      `update background_jobs set status = 'failed', error = 'stuck', failed_at = now() where id = $1`,
      'stuck',
    ],
    ['is cancelled', `select cancel_background_job($1, 'not needed')`, 'cancelled: not needed'],
    ['is deleted by hand', 'delete from background_jobs where id = $1', 'its background job was deleted'],
  ])('when its job %s', async (_case, statement, error) => {
    await start();
    await sql(statement);
    expect(await state()).toEqual(['error', error]);
  });

  it('when its process died once too often, and runs again when an operator retries it', async () => {
    await start();
    await sql('update background_jobs set max_retries = 0 where id = $1');
    await createJobQueue(world.database.rpc).claimOne(jobId, 'test', 60);
    expect(await world.database.rpc('begin_analysis', begin)).toMatchObject({ name: 'busy' });
    expect(await state()).toEqual(['running', null]);
    await expireLease(world.database, jobId);
    expect(await state()).toEqual(['error', expect.stringContaining('lease') as string]);
    await sql('select retry_failed_job($1, true)');
    expect(await world.attempt(jobId)).toMatchObject({ status: 'completed' });
    expect(await state()).toEqual(['completed', null]);
  });

  it('and does not come back when its user has started another one since', async () => {
    await start();
    await sql(`update background_jobs set status = 'failed', error = 'stuck' where id = $1`);
    const again = await world.start(begin.user_id, begin.repository_id);
    await sql('select retry_failed_job($1, true)');
    expect((await world.attempt(jobId)).error).toContain('the user has started another analysis');
    expect(await world.analysis(again.analysisId)).toMatchObject({ status: 'pending' });
  });
});

describe('an analysis', () => {
  it('belongs to one job', async () => {
    await start();
    await world.database.rpc('begin_analysis', begin);
    const other = { ...begin, job_id: crypto.randomUUID() };
    const refused = `jobId: job ${jobId} works on this analysis`;
    expect(await world.database.rpc('begin_analysis', other)).toEqual({ refused });
    const finish = { analysis_id: analysisId, result: {} };
    expect(await world.database.rpc('finish_analysis', { ...finish, job_id: other.job_id })).toBe(false);
    // Twice, as by a process that died before it could say so.
    for (let time = 0; time < 2; time += 1)
      expect(await world.database.rpc('finish_analysis', { ...finish, job_id: jobId })).toBe(true);
    expect(await state()).toEqual(['completed', null]);
    await sql('delete from background_jobs where id = $1');
    expect(await state()).toEqual(['completed', null]);
  });

  it('keeps its place in the plan when its repository is deleted', async () => {
    await start();
    const unborn = world.repositories['octo-org/unborn'];
    const { analysisId: other } = await world.start(begin.user_id, unborn);
    await world.database.pool.query('delete from repositories where id = $1', [unborn]);
    expect(await world.analysis(other)).toMatchObject({ repository_id: null, status: 'pending' });
  });
});
