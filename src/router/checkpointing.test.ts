import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts';
import { type HybridEndpoint, startHybridEndpoint } from '../../tests/support/hybrid-endpoint.ts';
import { defineJob, type JobDefinition } from '../jobs/define-job.ts';
import { SnoozeError } from '../jobs/outcomes.ts';

const stepping = defineJob({
  type: 'test/stepping',
  lane: 'inline',
  payload: z.object({ snooze: z.boolean() }),
  run: async (ctx) => {
    const first = await ctx.step('first', () => Promise.resolve(1));
    const second = await ctx.step('second', () => {
      if (ctx.payload.snooze) throw new SnoozeError(new Date(Date.now() + 60_000), 'later');
      return Promise.resolve(2);
    });
    return first + second;
  },
});

const long = defineJob({ type: 'test/long', payload: z.object({}), run: () => Promise.resolve(null) });

let database: TestDatabase;
let endpoint: HybridEndpoint;
let checkpoints: Server;
let kept: { op: string; data: unknown }[] = [];

/** Inngest's checkpoint API: it takes each step as soon as it is done, so that the run goes on in the same request. */
beforeAll(async () => {
  checkpoints = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { steps } = JSON.parse(Buffer.concat(chunks).toString()) as { steps: typeof kept };
      kept.push(...steps);
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(checkpoints, 'listening');
  const baseUrl = `http://127.0.0.1:${(checkpoints.address() as AddressInfo).port}`;
  database = await createTestDatabase();
  const catalog = [stepping, long] as JobDefinition[];
  endpoint = await startHybridEndpoint({ rpc: database.rpc, catalog, inngest: { baseUrl } });
});

afterAll(async () => {
  await endpoint.close();
  await database.close();
  checkpoints.close();
});

/** The first request of a run, as Inngest sends it when it offers checkpoints. */
async function begin(
  functionId: string,
  name: string,
  data: unknown,
): Promise<{ op: string; data: unknown }[]> {
  kept = [];
  const event = { id: crypto.randomUUID(), name, data, ts: Date.now() };
  const ctx = {
    run_id: crypto.randomUUID(),
    attempt: 0,
    fn_id: crypto.randomUUID(),
    qi_id: 'q1',
    stack: { stack: [], current: 0 },
  };
  const answer = await fetch(`${endpoint.url}?fnId=${functionId}&stepId=step`, {
    method: 'POST',
    body: JSON.stringify({ version: 2, event, events: [event], steps: {}, ctx }),
  });
  expect(answer.status).toBe(206);
  return (await answer.json()) as { op: string; data: unknown }[];
}

describe('a run that Inngest lets go on from step to step', () => {
  it('completes an inline job in one request', async () => {
    const ops = await begin('hybrid-jobs-test-stepping', 'test/stepping', { snooze: false });
    expect(kept.map(({ data }) => data)).toEqual([1, 2]);
    expect(ops.at(-1)).toMatchObject({
      op: 'RunComplete',
      data: { lane: 'inline', status: 'completed', result: 3 },
    });
  });

  it('moves a snoozed job to the edge lane in one request', async () => {
    const ops = await begin('hybrid-jobs-test-stepping', 'test/stepping', { snooze: true });
    expect(ops.at(-1)).toMatchObject({ op: 'RunComplete', data: { lane: 'edge', status: 'queued' } });
  });

  it('enqueues a long job and wakes its lane in one request', async () => {
    const ops = await begin('hybrid-jobs-test-long', 'test/long', {});
    expect(ops.at(-1)).toMatchObject({ op: 'RunComplete', data: { lane: 'edge', status: 'queued' } });
    expect(kept.map(({ data }) => data)).toMatchObject([
      { status: 'queued', created: true },
      { woken: true },
    ]);
    expect(endpoint.wakes).toHaveLength(1);
  });
});
