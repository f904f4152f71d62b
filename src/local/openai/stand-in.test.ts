import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startOpenAiStandIn, type OpenAiStandIn } from './stand-in.ts';

const model = 'text-embedding-3-small';
let standIn: OpenAiStandIn;
let client: OpenAI;

beforeAll(async () => {
  standIn = await startOpenAiStandIn({ acceptedKeys: ['sk-good'], limits: { inputs: 5 } });
  client = new OpenAI({ apiKey: 'sk-good', baseURL: standIn.url, maxRetries: 0 });
});
afterAll(() => standIn.close());
beforeEach(() => standIn.faults.clear());

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, number, index) => sum + number * (b[index] ?? 0), 0);
const failure = (asked: Promise<unknown>): Promise<unknown> => asked.catch((error: unknown) => error);

describe('the stand-in for OpenAI, asked by the SDK', () => {
  it('gives similar texts similar vectors of length 1, in base64 as in numbers', async () => {
    const input = ['the queue stops at night', 'at night the queue stops again', 'a logo in blue'];
    const { data, usage } = await client.embeddings.create({ model, input });
    const [first, second, third] = data.map(({ embedding }) => [...embedding]) as [
      number[],
      number[],
      number[],
    ];
    expect(first).toHaveLength(1536);
    expect(dot(first, first)).toBeCloseTo(1, 5);
    expect(dot(first, second)).toBeGreaterThan(0.7);
    expect(dot(first, third)).toBeLessThan(0.5);
    const plain = await client.embeddings.create({ model, input, encoding_format: 'float' });
    expect(plain.data[0]?.embedding).toEqual(first);
    expect(usage.total_tokens).toBeGreaterThan(10);
    expect(standIn.requests.at(-1)).toMatchObject({ inputs: 3, tokens: usage.total_tokens, status: 200 });
  });

  it('has as many dimensions as are asked for', async () => {
    const { data } = await client.embeddings.create({ model, input: 'text', dimensions: 512 });
    expect(data[0]?.embedding).toHaveLength(512);
  });

  it.each([
    ['an empty input', ['a', ''], "Invalid 'input[1]'"],
    ['too many inputs', ['a', 'a', 'a', 'a', 'a', 'a'], 'array too long'],
    [
      'a too long input',
      ['word '.repeat(8_193)],
      'maximum context length is 8192 tokens, however you requested 8193',
    ],
  ])('refuses %s', async (_case, input, message) => {
    const error = await failure(client.embeddings.create({ model, input }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(String(error)).toContain(message);
  });

  it('refuses another key, and an unknown model', async () => {
    const stranger = new OpenAI({ apiKey: 'sk-bad', baseURL: standIn.url, maxRetries: 0 });
    expect(await failure(stranger.models.list())).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(await failure(client.embeddings.create({ model: 'none', input: 'a' }))).toBeInstanceOf(
      OpenAI.NotFoundError,
    );
  });

  it('answers a chat within its tokens', async () => {
    const messages = [{ role: 'user' as const, content: 'what is a queue?' }];
    const whole = await client.chat.completions.create({ model: 'gpt-4o-mini', messages });
    expect(whole.choices[0]?.message.content).toContain('what is a queue?');
    const cut = await client.chat.completions.create({
      model: 'gpt-4o-mini',
      messages,
      max_completion_tokens: 3,
    });
    expect(cut.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'A stand-in for' } });
  });

  it('fails as it is told to, also by another process', async () => {
    const order = { kind: 'rate-limit', retryAfterSeconds: 7, times: 1 };
    const told = await fetch(new URL('/_stand-in/faults', standIn.url), {
      method: 'POST',
      body: JSON.stringify(order),
    });
    expect(told.status).toBe(201);
    const error = await failure(client.embeddings.create({ model, input: 'a' }));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect((error as InstanceType<typeof OpenAI.RateLimitError>).headers?.get('retry-after')).toBe('7');
    expect(await failure(client.embeddings.create({ model, input: 'a' }))).toHaveProperty('data');
  });
});
