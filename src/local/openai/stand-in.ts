import { setTimeout as sleep } from 'node:timers/promises';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Logger } from '../../runtime/logger.ts';
import { listen } from '../listen.ts';
import { hang, truncate } from '../stand-in/broken-answers.ts';
import { createControlSurface } from '../stand-in/control-surface.ts';
import { createRequestLog } from '../stand-in/request-log.ts';
import { answerChat } from './chat.ts';
import { answerEmbeddings, type EmbeddingLimits } from './embeddings.ts';
import { errorResponse, wrongKey } from './errors.ts';
import { createOpenAiFaults, type Fault, faultResponse, faultSchema, type OpenAiFaults } from './faults.ts';

export interface OpenAiStandInOptions {
  /** Default: any free port. It listens on 127.0.0.1 only. */
  port?: number;
  /** Any other key gets 401. Default: any key will do. */
  acceptedKeys?: readonly string[];
  /** Default: OpenAI's own. */
  limits?: Partial<EmbeddingLimits>;
  /** Embeddings of a text with this in it are refused without a word of why. Default: none are. */
  refusedText?: string;
  log?: Logger;
}

/** A request that the stand-in received. Never holds a key or a text. */
export interface RecordedRequest {
  path: string;
  /** Inputs of a request for embeddings, and their tokens when it was served; else 0. */
  inputs: number;
  tokens: number;
  /** Milliseconds since the epoch. */
  receivedAt: number;
  /** Null until it has been answered. */
  status: number | null;
  /** The kind of the fault that hit it. */
  fault: string | null;
}

export interface OpenAiStandIn {
  /** The SDK's `baseURL`, `/v1` included. */
  url: string;
  faults: OpenAiFaults;
  /** The latest 5,000, oldest first. */
  requests: readonly RecordedRequest[];
  close(): Promise<void>;
}

/** Stands in for OpenAI on localhost, in tests and in a local stack without a key: embeddings and chat completions. */
export async function startOpenAiStandIn(options: OpenAiStandInOptions = {}): Promise<OpenAiStandIn> {
  const limits = { inputs: 2_048, inputTokens: 8_192, requestTokens: 300_000, ...options.limits };
  const faults = createOpenAiFaults();
  const requestLog = createRequestLog<RecordedRequest>();
  const closing = new AbortController();

  async function admit(context: Context<{ Bindings: HttpBindings }>): Promise<Response> {
    const { path } = context.req;
    const recorded: RecordedRequest = {
      ...{ path, inputs: 0, tokens: 0, receivedAt: Date.now() },
      ...{ status: null, fault: null },
    };
    requestLog.add(recorded);
    const body: unknown = await context.req.json().catch(() => null);
    const fault = faults.take({ path });
    recorded.fault = fault?.kind ?? null;
    if (fault?.kind === 'latency') await sleep(fault.latencyMs ?? 1000);
    if (fault?.kind === 'hang') return await hang(AbortSignal.any([context.req.raw.signal, closing.signal]));
    const response = respond(context, body, fault, recorded);
    recorded.status = response.status;
    options.log?.debug({ ...recorded }, 'OpenAI stand-in answered');
    return fault?.kind === 'truncated' ? await truncate(context, response) : response;
  }

  function respond(
    context: Context,
    body: unknown,
    fault: Fault | undefined,
    recorded: RecordedRequest,
  ): Response {
    const spoiled = fault && faultResponse(fault);
    if (spoiled) return spoiled;
    const key = context.req.header('authorization')?.replace(/^bearer /i, '');
    if (key === undefined || options.acceptedKeys?.includes(key) === false) return wrongKey();
    if (recorded.path === '/v1/chat/completions') return answerChat(body, recorded.receivedAt);
    if (recorded.path !== '/v1/embeddings')
      return errorResponse(404, { message: `Invalid URL (${context.req.method} ${recorded.path})` });
    const { response, ...counts } = answerEmbeddings(body, limits, options.refusedText);
    Object.assign(recorded, counts);
    return response;
  }

  const app = new Hono<{ Bindings: HttpBindings }>()
    .route('/', createControlSurface(faultSchema, faults, requestLog))
    .all('*', admit);
  const listening = await listen(createAdaptorServer({ fetch: app.fetch }), options.port);
  return {
    url: `${listening.url}/v1`,
    faults,
    requests: requestLog.requests,
    close: async () => {
      closing.abort();
      await listening.close();
    },
  };
}
