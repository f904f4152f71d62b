import type { OpenAI } from 'openai';
import { z } from 'zod';
import { errorResponse } from './errors.ts';
import { countTokens } from './tokens.ts';
import { dimensionsOf, toBase64, vectorOf } from './vectors.ts';

/** Source: "Create embeddings", parameter `input`, in OpenAI's API reference. */
export interface EmbeddingLimits {
  inputs: number;
  inputTokens: number;
  requestTokens: number;
}

type Params = OpenAI.EmbeddingCreateParams;

const requestSchema = z.object({
  model: z.string(),
  input: z.union([z.string().transform((text) => [text]), z.array(z.string())]),
  dimensions: z.int().positive().optional(),
  encoding_format: z.enum(['float', 'base64']).default('float'),
  user: z.string().optional(),
}) satisfies z.ZodType<unknown, Params | { input: unknown }>;

/** What `usage` says, too. */
export interface EmbeddingAnswer {
  response: Response;
  inputs: number;
  tokens: number;
}

/** `POST /v1/embeddings`. */
export function answerEmbeddings(body: unknown, limits: EmbeddingLimits, refused?: string): EmbeddingAnswer {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return refuse({ message: `Invalid '${path.join('.')}': ${message}`, param: path.join('.') });
  }
  const { model, input, dimensions, encoding_format: format } = parsed.data;
  const most = dimensionsOf[model];
  if (most === undefined) {
    const message = `The model \`${model}\` does not exist or you do not have access to it.`;
    return { response: errorResponse(404, { message, code: 'model_not_found' }), inputs: 0, tokens: 0 };
  }
  if (refused !== undefined && input.some((text) => text.includes(refused)))
    return {
      ...refuse({ message: "'$.input' is invalid. Please check the API reference." }),
      inputs: input.length,
    };
  const tokens = input.map(countTokens);
  const total = tokens.reduce((sum, count) => sum + count, 0);
  const problem = whatIsWrong(input, tokens, total, limits);
  if (problem !== null) return { ...refuse(problem), inputs: input.length };
  const data = input.map((text, index) => {
    const vector = vectorOf(text, dimensions ?? most);
    return { object: 'embedding', index, embedding: format === 'base64' ? toBase64(vector) : [...vector] };
  });
  const usage = { prompt_tokens: total, total_tokens: total };
  const answer = { object: 'list', model, data, usage } satisfies Omit<
    OpenAI.CreateEmbeddingResponse,
    'data'
  > & {
    data: (Omit<OpenAI.Embedding, 'embedding' | 'object'> & {
      object: string;
      embedding: string | number[];
    })[];
  };
  return { response: Response.json(answer), inputs: input.length, tokens: total };
}

type Problem = Parameters<typeof errorResponse>[1];

function refuse(problem: Problem): EmbeddingAnswer {
  return { response: errorResponse(400, problem), inputs: 0, tokens: 0 };
}

/** In OpenAI's words, as far as they are known from its users' reports. */
function whatIsWrong(
  input: readonly string[],
  tokens: readonly number[],
  total: number,
  limits: EmbeddingLimits,
): Problem | null {
  if (input.length === 0 || input.length > limits.inputs)
    return {
      message: `Invalid 'input': array too ${input.length === 0 ? 'short' : 'long'}. Expected an array with maximum length ${limits.inputs}, but got an array with length ${input.length} instead.`,
      param: 'input',
      code: 'array_above_max_length',
    };
  const empty = input.indexOf('');
  if (empty >= 0)
    return {
      message: `Invalid 'input[${empty}]': input cannot be an empty string.`,
      param: `input[${empty}]`,
    };
  const long = tokens.find((count) => count > limits.inputTokens);
  if (long !== undefined)
    return {
      message: `This model's maximum context length is ${limits.inputTokens} tokens, however you requested ${long} tokens (${long} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`,
    };
  if (total > limits.requestTokens)
    return {
      message: `Requested ${total} tokens, max ${limits.requestTokens} tokens per request`,
      type: 'max_tokens_per_request',
      code: 'max_tokens_per_request',
    };
  return null;
}
