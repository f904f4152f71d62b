import { describe, expect, it } from 'vitest';
import { useQueue } from './test-queue.ts';

const queue = useQueue();

const graphql = { quota: 'github:graphql', token: 'a1b2c3' };
const ahead = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

async function report(...reports: Record<string, unknown>[]): Promise<void> {
  await queue.sql('select report_job_quotas($1)', [JSON.stringify(reports)]);
}

async function bucket(): Promise<unknown> {
  const [row] = await queue.sql<Record<string, unknown>>(
    'select allowance, remaining, resets_at, blocked_until from job_quotas',
  );
  return row && { ...row, allowance: Number(row['allowance']), remaining: Number(row['remaining']) };
}

/** Time passes: what was reported happened so much earlier. */
async function later(seconds: number): Promise<void> {
  await queue.sql(
    `update job_quotas set resets_at = resets_at - $1 * interval '1 second',
       blocked_until = blocked_until - $1 * interval '1 second', reported_at = reported_at - $1 * interval '1 second'`,
    [seconds],
  );
}

async function claimedTypes(): Promise<string[]> {
  const claimed = await queue.claim();
  await queue.complete(...claimed.map(({ id, lease_token }) => ({ job_id: id, lease_token })));
  return claimed.map(({ type }) => type);
}

describe('a claim', () => {
  it('skips types whose quota is exhausted, and takes them after the reset without a retry spent', async () => {
    await queue.syncTypes({ type: 'asks', quotas: ['github:graphql'] }, { type: 'asks not' });
    const [id = ''] = await queue.enqueue({ type: 'asks' }, { type: 'asks not' });
    await report({ ...graphql, allowance: 5000, remaining: 0, resets_at: ahead(600) });
    expect(await claimedTypes()).toEqual(['asks not']);
    expect(await claimedTypes()).toEqual([]);
    await later(601);
    expect(await claimedTypes()).toEqual(['asks']);
    expect(await queue.job(id)).toMatchObject({ status: 'completed', retry_count: 0 });
  });

  it('goes on while something is left, and stops at a limit that names only a time', async () => {
    await queue.syncTypes({ type: 'asks', quotas: ['github:core', 'github:graphql'] });
    await report({ ...graphql, remaining: 1, resets_at: ahead(600) });
    await queue.enqueue({ type: 'asks' });
    expect(await claimedTypes()).toEqual(['asks']);
    await report({ ...graphql, blocked_until: ahead(60) });
    await queue.enqueue({ type: 'asks' });
    expect(await claimedTypes()).toEqual([]);
  });

  it('goes on while another token has something left', async () => {
    await queue.syncTypes({ type: 'asks', quotas: ['github:graphql'] });
    await report(
      { ...graphql, remaining: 0, resets_at: ahead(600) },
      { ...graphql, token: 'other', remaining: 7, resets_at: ahead(300) },
    );
    await queue.enqueue({ type: 'asks' });
    expect(await claimedTypes()).toEqual(['asks']);
  });

  it('does not count a token of which nobody has heard for an hour', async () => {
    await queue.syncTypes({ type: 'asks', quotas: ['github:graphql'] });
    await report({ ...graphql, token: 'replaced', remaining: 4000, resets_at: ahead(10) });
    await later(3601);
    await report({ ...graphql, remaining: 0, resets_at: ahead(600) });
    await queue.enqueue({ type: 'asks' });
    expect(await claimedTypes()).toEqual([]);
  });

  it('of a named job does not start one either', async () => {
    await queue.syncTypes({ type: 'asks', quotas: ['github:graphql'] });
    const [id] = await queue.enqueue({ type: 'asks' });
    await report({ ...graphql, remaining: 0, resets_at: ahead(600) });
    expect(await queue.sql(`select * from claim_background_job($1, 'w1', 60)`, [id])).toEqual([]);
    await queue.sql('delete from job_quotas');
    expect(await queue.sql(`select * from claim_background_job($1, 'w1', 60)`, [id])).toHaveLength(1);
  });
});

describe('an exhausted quota', () => {
  it('lets an inline job wait on the edge lane', async () => {
    await queue.syncTypes({ type: 'asks', lane: 'inline', quotas: ['github:graphql'] });
    await report({ ...graphql, blocked_until: ahead(600) });
    const begin = `select run, status, lane from begin_background_job('{"type": "asks"}', 'w1', 60)`;
    expect(await queue.sql(begin)).toEqual([{ run: false, status: 'queued', lane: 'edge' }]);
    await queue.sql('delete from job_quotas');
    expect(await queue.sql(begin)).toEqual([{ run: true, status: 'processing', lane: 'inline' }]);
  });

  it('makes its jobs unclaimable in the eyes of the sweep, so that nobody is woken for them', async () => {
    await queue.syncTypes({ type: 'asks', quotas: ['github:graphql'] });
    await queue.enqueue({ type: 'asks' }, { type: 'asks not' });
    const claimable = `select claimable::integer from sweep_background_jobs() where lane = 'edge'`;
    expect(await queue.value(claimable)).toBe(2);
    await report({ ...graphql, blocked_until: ahead(600) });
    expect(await queue.value(claimable)).toBe(1);
  });

  it('explains why its jobs wait', async () => {
    await queue.syncTypes({ type: 'asks', quotas: ['github:graphql'] });
    const [id] = await queue.enqueue({ type: 'asks' });
    await report({ ...graphql, remaining: 0, resets_at: '2099-01-01T00:00:00Z' });
    expect(await queue.value('select explain_background_job($1)', [id])).toMatch(
      /^quota github:graphql is exhausted until 2099-01-01 /,
    );
  });
});

describe('report_job_quotas', () => {
  const [first, second] = ['2030-01-01T00:00:00Z', '2030-01-01T01:00:00Z'];

  it('keeps the least of a window, in whatever order the reports come', async () => {
    await report({ ...graphql, allowance: 5000, remaining: 10, resets_at: first });
    await report({ ...graphql, remaining: 30, resets_at: first });
    await report(
      { ...graphql, remaining: 20, resets_at: first },
      { ...graphql, remaining: 8, resets_at: first },
    );
    expect(await bucket()).toEqual({
      allowance: 5000,
      remaining: 8,
      resets_at: new Date(first),
      blocked_until: null,
    });
  });

  it('begins anew with a later window, and takes no word of an earlier one', async () => {
    await report({ ...graphql, remaining: 0, resets_at: first });
    await report({ ...graphql, remaining: 4999, resets_at: second });
    await report({ ...graphql, remaining: 0, resets_at: first });
    expect(await bucket()).toMatchObject({ remaining: 4999, resets_at: new Date(second) });
  });

  it('keeps the latest time of a refusal, and what else is known', async () => {
    await report({ ...graphql, remaining: 5, resets_at: first });
    await report({ ...graphql, blocked_until: second });
    await report({ ...graphql, blocked_until: first });
    expect(await bucket()).toMatchObject({ remaining: 5, blocked_until: new Date(second) });
  });

  it.each([
    ['{}', 'reports: expected an array'],
    ['[1]', 'reports[0]: expected an object'],
    ['[{"quota": "q"}]', 'reports[0].token: expected a string of 1 to 200 bytes'],
    [
      '[{"quota": "q", "token": "t", "remaining": -1}]',
      'reports[0].remaining: expected a whole number from 0, got -1',
    ],
    [
      '[{"quota": "q", "token": "t", "resets_at": "soon"}]',
      'reports[0].resets_at: expected a timestamp, got "soon"',
    ],
    ['[{"quota": "q", "token": "t", "secret": "x"}]', 'reports[0].secret: unknown key'],
  ])('refuses %s', async (reports, message) => {
    await expect(queue.sql('select report_job_quotas($1)', [reports])).rejects.toMatchObject({
      code: 'PT400',
      message: expect.stringContaining(message) as string,
    });
  });
});
