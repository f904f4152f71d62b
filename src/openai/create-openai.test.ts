import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { InputRefusedError, NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { createOpenAi, type OpenAiOptions } from './create-openai.ts';

const now = (): Date => new Date('2030-01-01T00:00:00Z');
const vector = btoa('\0\0\x80\x3f');

function connect(answer: () => Response, more: Partial<OpenAiOptions> = {}) {
  const asked: Request[] = [];
  const openai = createOpenAi({
    apiKey: 'sk-canary-0123456789abcdef',
    baseUrl: 'http://openai.test/v1',
    rpc: () => Promise.reject(new Error('nothing is to be reported')),
    log: silentLogger,
    fetch: (input, init) => {
      asked.push(new Request(input, init));
      return Promise.resolve(answer());
    },
    now,
    ...more,
  });
  return { openai, asked };
}

const embedOne = (answer: () => Response, more: Partial<OpenAiOptions> = {}): Promise<Error> =>
  connect(answer, more)
    .openai.embed(['text'], { model: 'text-embedding-3-small' })
    .then(
      () => new Error('OpenAI answered'),
      (error: Error) => error,
    );

const refusal =
  (status: number, error: object, headers: Record<string, string> = {}) =>
  (): Response =>
    Response.json(
      { error: { type: 'invalid_request_error', param: null, code: null, ...error } },
      { status, headers },
    );

describe('OpenAI', () => {
  it('gives one vector per input in the order of the inputs, with what they cost', async () => {
    const data = [1, 0].map((index) => ({
      object: 'embedding',
      index,
      embedding: index === 0 ? vector : [2],
    }));
    const { openai, asked } = connect(() =>
      Response.json({ object: 'list', model: 'm', data, usage: { prompt_tokens: 7, total_tokens: 7 } }),
    );
    const answer = await openai.embed(['a', 'b'], { model: 'm', dimensions: 1 });
    expect(answer).toEqual({ vectors: [vector, btoa('\0\0\0\x40')], tokens: 7 });
    expect(asked[0]?.url).toBe('http://openai.test/v1/embeddings');
    expect(await asked[0]?.json()).toEqual({
      model: 'm',
      input: ['a', 'b'],
      dimensions: 1,
      encoding_format: 'base64',
    });
  });

  it('without a key refuses, and names the variable', async () => {
    const error = await embedOne(() => Response.error(), { apiKey: undefined });
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toBe('OPENAI_API_KEY is not set: expected the key of an OpenAI account');
  });
});

describe('a refusal by OpenAI', () => {
  it.each([
    [{ 'retry-after': '20' }, '2030-01-01T00:00:20.000Z'],
    [{ 'retry-after-ms': '2500', 'retry-after': '60' }, '2030-01-01T00:00:02.500Z'],
    [{ 'retry-after': '0' }, '2030-01-01T00:00:01.000Z'],
    [
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1m30.5s',
        'x-ratelimit-reset-tokens': '1h',
      },
      '2030-01-01T00:01:30.500Z',
    ],
    [
      { 'x-ratelimit-reset-requests': '20ms', 'x-ratelimit-reset-tokens': '6m0s' },
      '2030-01-01T00:06:00.000Z',
    ],
    [{}, '2030-01-01T00:01:00.000Z'],
  ])('for going too fast snoozes as long as it says: %j', async (headers, until) => {
    const error = await embedOne(
      refusal(429, { code: 'rate_limit_exceeded', message: 'Slow down.' }, headers),
    );
    expect(error).toBeInstanceOf(SnoozeError);
    expect((error as SnoozeError).until.toISOString()).toBe(until);
    expect(error.message).toBe("OpenAI's rate limit: Slow down.");
  });

  it('for a while snoozes only where it says for how long', async () => {
    const overloaded = { message: 'The engine is currently overloaded.' };
    expect(await embedOne(refusal(503, overloaded, { 'retry-after': '5' }))).toBeInstanceOf(SnoozeError);
    expect((await embedOne(refusal(503, overloaded))).name).toBe('Error');
  });

  it('for want of credit is final, and says so', async () => {
    const error = await embedOne(
      refusal(429, { code: 'insufficient_quota', message: 'You exceeded your quota.' }),
    );
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toContain('The account of OPENAI_API_KEY has no credit left');
  });

  it('of a key is final, and names the variable but no part of the key', async () => {
    const error = await embedOne(refusal(401, { message: 'Incorrect API key provided: sk-canary****cdef.' }));
    expect(error).toBeInstanceOf(NonRetryableError);
    expect(error.message).toBe(
      'OpenAI answered 401 to embeddings: OPENAI_API_KEY is wrong, expired or revoked',
    );
    expect(`${error.stack} ${JSON.stringify(error.cause)}`).not.toContain('canary');
  });

  it("of a user's key says that it is the user's", async () => {
    const { openai, asked } = connect(refusal(401, { message: 'Incorrect API key' }), { apiKey: undefined });
    const theirs = openai.withKey('sk-of-the-user');
    await expect(theirs.embed(['a'], { model: 'm' })).rejects.toThrow("the user's OpenAI key is wrong");
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer sk-of-the-user');
  });

  it.each([
    [
      {
        message:
          "This model's maximum context length is 8192 tokens, however you requested 9000 tokens (9000 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.",
      },
      { input: null, tooLarge: 'input', tokens: 9000, mostTokens: 8192 },
    ],
    [
      { message: 'Requested 310000 tokens, max 300000 tokens per request', code: 'max_tokens_per_request' },
      { input: null, tooLarge: 'request', tokens: 310_000, mostTokens: 300_000 },
    ],
    [
      {
        message:
          "Invalid 'input': array too long. Expected an array with maximum length 2048, but got an array with length 3000 instead.",
        param: 'input',
      },
      { input: null, tooLarge: 'request', tokens: null, mostTokens: null },
    ],
    [
      { message: "Invalid 'input[3]': input cannot be an empty string.", param: 'input[3]' },
      { input: 3, tooLarge: null, tokens: null, mostTokens: null },
    ],
    [{ message: "'$.input' is invalid." }, { input: null, tooLarge: null, tokens: null, mostTokens: null }],
  ])('to read an input says which and why: %j', async (error, refused) => {
    const outcome = await embedOne(refusal(400, error));
    expect(outcome).toBeInstanceOf(InputRefusedError);
    expect(outcome).toMatchObject(refused);
    expect(outcome.message).toBe(`OpenAI answered 400 to embeddings: ${error.message}`);
  });

  it('of a request that is larger than what a minute allows is no reason to wait', async () => {
    const message =
      'Request too large for text-embedding-3-small in organization org-x on tokens per min (TPM): Limit 40000, Requested 90000.';
    const outcome = await embedOne(refusal(429, { message, code: 'rate_limit_exceeded', type: 'tokens' }));
    expect(outcome).toBeInstanceOf(InputRefusedError);
    expect(outcome).toMatchObject({ input: null, tooLarge: 'request', tokens: 90_000, mostTokens: 40_000 });
  });

  it.each([403, 404])('with %d is final', async (status) => {
    expect(await embedOne(refusal(status, { message: 'No.' }))).toBeInstanceOf(NonRetryableError);
  });
});

describe('an answer of OpenAI that does not come', () => {
  it.each([
    [
      '500',
      refusal(500, { message: 'The server had an error.' }),
      'OpenAI answered 500 to embeddings: The server',
    ],
    [
      'half',
      () => new Response('{"object":"li', { headers: { 'content-type': 'application/json' } }),
      'OpenAI could not be asked (embeddings)',
    ],
    [
      'fewer vectors',
      () => Response.json({ data: [], usage: { total_tokens: 0 } }),
      'expected 1 vectors, got 0',
    ],
    [
      'no network',
      (): Response => {
        throw new TypeError('fetch failed');
      },
      'OpenAI could not be asked (embeddings): Connection error.',
    ],
  ])('may come the next time: %s', async (_case, answer, message) => {
    const error = await embedOne(answer);
    expect(error.name).toBe('Error');
    expect(error.message).toContain(message);
  });

  it('in time may come the next time', async () => {
    const fetch = (_: unknown, init?: RequestInit): Promise<Response> =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      });
    const error = await embedOne(() => Response.error(), { fetch, requestTimeoutMs: 20 });
    expect(error.message).toBe('OpenAI could not be asked (embeddings): Request timed out.');
  });

  it('because the job has to stop ends with the reason of that', async () => {
    const stop = new AbortController();
    const reason = new Error('cancelled by an operator');
    const { openai } = connect(() => {
      stop.abort(reason);
      return refusal(500, {})();
    });
    const asked = openai.withSignal(stop.signal).embed(['a'], { model: 'm' });
    await expect(asked).rejects.toBe(reason);
  });
});

describe('a completion', () => {
  const completion =
    (content: string | null, finish = 'stop') =>
    (): Response =>
      Response.json({
        model: 'gpt-4o-mini-2024-07-18',
        choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', content } }],
        usage: { prompt_tokens: 11, completion_tokens: 5, total_tokens: 16 },
      });
  const question = { model: 'gpt-4o-mini', instructions: 'Be brief.', input: 'Hello', maxOutputTokens: 50 };

  it('has its text, the version that wrote it, and what it cost', async () => {
    const { openai, asked } = connect(completion('Hi.'));
    expect(await openai.complete(question)).toEqual({
      text: 'Hi.',
      model: 'gpt-4o-mini-2024-07-18',
      tokens: { input: 11, output: 5 },
    });
    expect(asked[0]?.url).toBe('http://openai.test/v1/chat/completions');
  });

  it('without text is final: the same question would cost the same', async () => {
    const asked = connect(completion(null, 'length')).openai.complete(question);
    await expect(asked).rejects.toThrow('gave no text (it ended with "length" within 50 tokens)');
    await expect(asked).rejects.toBeInstanceOf(NonRetryableError);
  });
});
