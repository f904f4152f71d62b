import { createClient } from '@supabase/supabase-js';
import { expect, test } from 'vitest';
import { OperatorError } from './operator-error.ts';
import { createOperator } from './operator.ts';

/** The operator's calls through a stock supabase-js client whose requests get this answer. */
function operatorWith(answer: () => Response) {
  const asked: Request[] = [];
  const client = createClient('https://example.supabase.co', 'sb_publishable_1', {
    auth: { persistSession: false },
    global: {
      fetch: async (input, init) => {
        asked.push(new Request(input, init));
        return await Promise.resolve(answer());
      },
    },
  });
  return { operator: createOperator(client), asked };
}

test('every supabase-js client can be monitored with', async () => {
  const { operator, asked } = operatorWith(() => Response.json(true));
  expect(await operator.cancel('job 1', 'a duplicate')).toBe(true);
  expect(asked.map(({ url }) => url)).toEqual([
    'https://example.supabase.co/rest/v1/rpc/operator_cancel_job',
  ]);
  expect(await asked[0]?.json()).toEqual({ job_id: 'job 1', reason: 'a duplicate' });
});

test('a refusal keeps the words and the hint of the database', async () => {
  const refusal = { code: 'PT403', message: 'operators only', hint: 'ask somebody', details: null };
  const { operator } = operatorWith(() => Response.json(refusal, { status: 403 }));
  const error = await operator.overview().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(OperatorError);
  expect(error).toMatchObject({ message: 'operators only', hint: 'ask somebody', status: 403 });
});

test('a database without the functions names the migrations', async () => {
  const missing = { code: 'PGRST202', message: 'Could not find the function', hint: null, details: null };
  const { operator } = operatorWith(() => Response.json(missing, { status: 404 }));
  await expect(operator.quotas()).rejects.toThrow('The database has no function operator_quotas.');
});
