import type { OpenAI } from 'openai';
import type { Rpc } from '../database/rpc.ts';
import { KeyRefusedError, NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { createQuotaLedger, fingerprint, type QuotaLedger } from '../quotas/quota-ledger.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Completion, CompletionRequest, OpenAi } from './openai.ts';
import { refusalToOutcome } from './refusals.ts';
import { toVectorText } from './vector-text.ts';

export interface OpenAiOptions {
  /** Undefined: requests are refused until `withKey` names one. */
  apiKey: string | undefined;
  /** Default: https://api.openai.com/v1. */
  baseUrl?: string;
  /** Where the quotas are shared with other processes. */
  rpc: Rpc;
  log: Logger;
  /** Default: the runtime's. */
  fetch?: typeof fetch;
  /** Clock from which `retry-after` counts. Default: the system's. */
  now?: () => Date;
  /** One request, body included, may take this long, in milliseconds. Default: 60,000. */
  requestTimeoutMs?: number;
}

/** Whose requests these are. */
interface Account {
  apiKey: string | undefined;
  /** For messages. */
  keyName: string;
  quotas: QuotaLedger;
}

/** OpenAI for all jobs of a process, over the official SDK, which is loaded when a job first asks for something. */
export function createOpenAi(options: OpenAiOptions): OpenAi {
  const account = accountOf(options, options.apiKey, 'OPENAI_API_KEY');
  return build(options, account, null);
}

function accountOf(options: OpenAiOptions, apiKey: string | undefined, keyName: string): Account {
  const { rpc, log, now = () => new Date() } = options;
  return { apiKey, keyName, quotas: createQuotaLedger({ rpc, token: fingerprint(apiKey), log, now }) };
}

function build(options: OpenAiOptions, account: Account, signal: AbortSignal | null): OpenAi {
  return {
    withSignal: (other) => build(options, account, other),
    withKey: (apiKey) => build(options, accountOf(options, apiKey, "the user's OpenAI key"), signal),
    embed: async (inputs, { model, dimensions }) =>
      await ask('embeddings', options, account, signal, async (client, request) => {
        const body = { model, input: [...inputs], ...(dimensions === undefined ? {} : { dimensions }) };
        // Asked for by name, so that the SDK leaves it as it is.
        const answer = await client.embeddings.create({ ...body, encoding_format: 'base64' }, request);
        return { vectors: orderedVectors(answer, inputs.length), tokens: answer.usage.total_tokens };
      }),
    complete: async (question) =>
      await ask('chat', options, account, signal, (client, request) => complete(client, question, request)),
  };
}

interface RequestLimits {
  signal?: AbortSignal;
}

/** One request within its quota; whatever goes wrong becomes a job's outcome here and nowhere else. */
async function ask<Answer>(
  api: 'embeddings' | 'chat',
  options: OpenAiOptions,
  account: Account,
  signal: AbortSignal | null,
  send: (client: OpenAI, request: RequestLimits) => Promise<Answer>,
): Promise<Answer> {
  const { quotas, keyName } = account;
  const quota = `openai:${api}`;
  const client = await openClient(options, account);
  const until = quotas.exhaustedUntil(quota);
  if (until !== null) throw new SnoozeError(until, `OpenAI's rate limit: ${quota} is exhausted`);
  signal?.throwIfAborted();
  try {
    return await send(client, signal === null ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    const outcome = await outcomeOf(error, { api, keyName, now: (options.now ?? (() => new Date()))() });
    if (outcome instanceof SnoozeError) {
      quotas.note({ quota, blockedUntil: outcome.until });
      await quotas.write();
    }
    throw outcome;
  }
}

/** The SDK neither retries, which the queue does, nor logs, nor reads a variable of the environment. */
async function openClient(options: OpenAiOptions, { apiKey, keyName }: Account): Promise<OpenAI> {
  if (apiKey === undefined)
    throw new KeyRefusedError(`${keyName} is not set: expected the key of an OpenAI account`, true);
  const { OpenAI: Client } = await import('openai');
  return new Client({
    apiKey,
    baseURL: options.baseUrl ?? 'https://api.openai.com/v1',
    fetch: options.fetch,
    maxRetries: 0,
    timeout: options.requestTimeoutMs ?? 60_000,
    logLevel: 'off',
    ...{ adminAPIKey: null, organization: null, project: null, webhookSecret: null },
  });
}

async function outcomeOf(error: unknown, asking: Parameters<typeof refusalToOutcome>[1]): Promise<Error> {
  if (error instanceof NonRetryableError) return error;
  const { APIError } = await import('openai');
  if (error instanceof APIError && error.status !== undefined)
    return refusalToOutcome(error as Parameters<typeof refusalToOutcome>[0], asking);
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`OpenAI could not be asked (${asking.api}): ${message}`, { cause: error });
}

interface VectorList {
  data: readonly { index: number; embedding: string | readonly number[] }[];
}

/** One vector per input, in the order of the inputs, whatever the order of the answer. */
function orderedVectors(answer: VectorList, count: number): string[] {
  const vectors: string[] = [];
  for (const { index, embedding } of answer.data) vectors[index] = toVectorText(embedding);
  if (answer.data.length !== count || vectors.length !== count)
    throw new Error(`expected ${count} vectors, got ${answer.data.length}`);
  return vectors;
}

async function complete(
  client: OpenAI,
  { model, instructions, input, maxOutputTokens }: CompletionRequest,
  request: RequestLimits,
): Promise<Completion> {
  const answer = await client.chat.completions.create(
    {
      model,
      max_completion_tokens: maxOutputTokens,
      messages: [
        { role: 'system', content: instructions },
        { role: 'user', content: input },
      ],
    },
    request,
  );
  const [choice] = answer.choices;
  const text = choice?.message.content;
  // The same question would be paid for again, and end in the same way.
  if (!text)
    throw new NonRetryableError(
      `OpenAI's ${answer.model} gave no text (it ended with "${choice?.finish_reason}" within ${maxOutputTokens} tokens)`,
    );
  const tokens = {
    input: answer.usage?.prompt_tokens ?? 0,
    output: answer.usage?.completion_tokens ?? 0,
  };
  return { text, model: answer.model, tokens };
}
