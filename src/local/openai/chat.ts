import type { OpenAI } from 'openai';
import { z } from 'zod';
import { errorResponse } from './errors.ts';
import { countTokens } from './tokens.ts';

const requestSchema = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).nonempty(),
  max_completion_tokens: z.int().positive().optional(),
});

/** `POST /v1/chat/completions`: says what it was asked, within the tokens that it is given. */
export function answerChat(body: unknown, now: number): Response {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return errorResponse(400, { message: `Invalid '${path.join('.')}': ${message}`, param: path.join('.') });
  }
  const { model, messages, max_completion_tokens: most = 1_000 } = parsed.data;
  const question = messages.at(-1)?.content ?? '';
  const words = `A stand-in for OpenAI was asked: ${question}`.split(/\s+/);
  const content = words.slice(0, most).join(' ');
  const [input, output] = [
    messages.reduce((sum, message) => sum + countTokens(message.content), 0),
    Math.min(countTokens(content), most),
  ];
  const answer: OpenAI.ChatCompletion = {
    id: `chatcmpl-${now}`,
    object: 'chat.completion',
    created: Math.floor(now / 1000),
    model,
    choices: [
      {
        index: 0,
        finish_reason: words.length > most ? 'length' : 'stop',
        logprobs: null,
        message: { role: 'assistant', content, refusal: null },
      },
    ],
    usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  };
  return Response.json(answer);
}
