import type { Lane } from '../../jobs/define-job.ts';
import type { JobNames } from './job-names.ts';

/** A job kind that does something small, to be changed. */
export function definitionText({ type, identifier, title }: JobNames, lane: Lane): string {
  return `import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';

const payload = z.object({ name: z.string().min(1) });

/** Greets whom its payload names. */
export const ${identifier} = defineJob({
  type: '${type}',
  title: '${title}',
  lane: '${lane}',
  payload,
  timeoutSeconds: ${lane === 'inline' ? 10 : 60},
  run: (ctx) => greet(ctx),
});

/** What a step returns is kept: a run that was cut off goes on behind its last step. */
async function greet(ctx: JobContext<z.output<typeof payload>>): Promise<{ greeting: string }> {
  const greeting = await ctx.step('greet', () => Promise.resolve(\`Hello, \${ctx.payload.name}!\`));
  return { greeting };
}
`;
}

export function testText({ identifier, file }: JobNames): string {
  return `import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { claimNew, testHost } from '../../../tests/support/queue-host.ts';
import { createJobQueue } from '../../queue/job-queue.ts';
import type { Outcome } from '../../queue/outcome.ts';
import { perform } from '../../queue/perform.ts';
import { ${identifier} } from './${file}.ts';

let database: TestDatabase;

beforeAll(async () => (database = await createTestDatabase()));
afterAll(async () => await database.close());

/** One attempt, as a worker runs it. */
async function attempt(payload: object): Promise<Outcome> {
  const queue = createJobQueue(database.rpc);
  const job = await claimNew(queue, { type: ${identifier}.type, payload, lane: 'edge' });
  return await perform(job, testHost({ queue, rpc: database.rpc, catalog: [${identifier}] }));
}

it('greets whom its payload names', async () => {
  expect(await attempt({ name: 'world' })).toMatchObject({
    kind: 'complete',
    result: { greeting: 'Hello, world!' },
  });
});

it('refuses a payload without a name, and says so', async () => {
  const outcome = await attempt({});
  expect(outcome).toMatchObject({ kind: 'failed' });
  expect(JSON.stringify(outcome)).toContain('payload.name: expected string, got nothing');
});
`;
}
