import { expect, test } from 'vitest';
import { z } from 'zod';
import { catalog } from './catalog.ts';
import { defineJob, type JobDefinition } from './define-job.ts';
import { payloadSchema } from './payload-schema.ts';

test('a payload is described as it is sent: before its defaults and transformations', () => {
  const definition = defineJob({
    type: 'test/counted',
    payload: z
      .object({ count: z.int().min(1).default(5).describe('How many'), at: z.iso.datetime().optional() })
      .transform(({ count }) => BigInt(count)),
    run: () => Promise.resolve(null),
  });
  expect(payloadSchema(definition as JobDefinition)).toMatchObject({
    type: 'object',
    properties: {
      count: { type: 'integer', minimum: 1, default: 5, description: 'How many' },
      at: { type: 'string', format: 'date-time' },
    },
  });
});

test.each(catalog.map((definition) => [definition.type, definition] as const))(
  'the payload of %s is described as an object that fits into a row',
  (_, definition) => {
    const schema = payloadSchema(definition);
    expect(JSON.stringify(schema).length).toBeLessThan(20_000);
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
  },
);
