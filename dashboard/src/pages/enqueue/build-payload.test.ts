import { describe, expect, test } from 'vitest';
import { buildPayload } from './build-payload.ts';
import { readPayloadFields } from './payload-fields.ts';

const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}$';
const fields =
  readPayloadFields({
    type: 'object',
    properties: {
      repository: { anyOf: [{}, { type: 'null' }] },
      owner: { type: ['string', 'null'] },
      days: { default: 30, type: 'integer', exclusiveMinimum: 0, maximum: 365 },
      force: { default: false, type: 'boolean' },
      kind: { type: 'string', enum: ['issue', 'pr'] },
      items: { type: 'array', items: {} },
      jobId: { type: 'string', format: 'uuid', pattern: uuid },
      number: { type: 'integer', minimum: 1, maximum: 2147483647 },
    },
    required: ['jobId'],
  }) ?? [];

describe('the fields of a payload', () => {
  test('required ones come first, then short ones, with the kind and the limits of their schema', () => {
    expect(fields.map(({ name, kind, hint }) => [name, kind, hint])).toEqual([
      ['jobId', 'text', 'uuid'],
      ['repository', 'any', ''],
      ['owner', 'text', ''],
      ['days', 'number', '1 to 365, default 30'],
      ['kind', 'choice', ''],
      ['number', 'number', 'at least 1'],
      ['force', 'boolean', ''],
      ['items', 'json', 'JSON'],
    ]);
  });

  test('a payload without known properties has none: it is written as JSON', () => {
    expect(readPayloadFields({ type: 'object', additionalProperties: {} })).toBeNull();
    expect(readPayloadFields(null)).toBeNull();
  });
});

describe('what was entered', () => {
  const good = { jobId: '0a1b2c3d-4e5f' };

  test('becomes values of the right type; what is empty is left out', () => {
    const entered = { ...good, days: ' 7 ', force: 'true', kind: 'pr', items: '[1]', owner: '' };
    expect(buildPayload(fields, entered)).toEqual({
      payload: { jobId: '0a1b2c3d-4e5f', days: 7, force: true, kind: 'pr', items: [1] },
      errors: {},
    });
  });

  test('a field for anything takes text, and JSON where it looks like it', () => {
    expect(buildPayload(fields, { ...good, repository: 'octo-org/site' }).payload['repository']).toBe(
      'octo-org/site',
    );
    expect(buildPayload(fields, { ...good, repository: '{"id": 1}' }).payload['repository']).toEqual({
      id: 1,
    });
  });

  test.each([
    [{}, 'jobId', 'Expected a value'],
    [{ jobId: 'x' }, 'jobId', 'Expected uuid'],
    [{ ...good, days: '1.5' }, 'days', 'Expected a whole number'],
    [{ ...good, days: '0' }, 'days', 'Expected at least 1'],
    [{ ...good, days: '366' }, 'days', 'Expected at most 365'],
    [{ ...good, kind: 'discussion' }, 'kind', 'Expected one of issue, pr'],
    [{ ...good, items: '[1' }, 'items', 'Expected JSON'],
  ])('%j is refused', (entered, field, message) => {
    expect(buildPayload(fields, entered).errors[field]).toContain(message);
  });
});
