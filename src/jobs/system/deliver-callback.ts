import { z } from 'zod';
import { defineJob } from '../define-job.ts';
import type { JobContext } from '../job-context.ts';
import { NonRetryableError } from '../outcomes.ts';
import { callbackAnswer, DeliveryFailed, nextDelay } from './callback-answer.ts';
import { isPublicAddress } from './public-address.ts';

/** A receiver that has not answered by then is asked again later. In milliseconds. */
const timeoutMs = 15_000;

/** A row of `sign_callback`. */
interface SignedCallback {
  url: string;
  /** Null: no registered endpoint covers the URL. */
  endpoint: string | null;
  allow_private: boolean | null;
  enabled: boolean | null;
  headers: Record<string, string> | null;
  body: string;
}

const payload = z.object({ jobId: z.guid() });

type Context = JobContext<z.output<typeof payload>>;

/**
 * Sends the signed webhook of a job that has ended. Enqueued in SQL by the transaction that ends the job; what is sent is
 * in `background_job_callbacks`, so that neither an event nor a payload can make it send anything else.
 */
export const deliverCallback = defineJob({
  type: 'system/callback.deliver',
  functionId: 'deliver-callback',
  title: "Call a job's callback_url",
  payload,
  timeoutSeconds: 30,
  maxRetries: 10,
  run: deliver,
});

async function deliver(ctx: Context): Promise<{ status: number; endpoint: string }> {
  const { rpc, jobId, signal } = ctx;
  const [callback] = await rpc<SignedCallback[]>('sign_callback', { job_id: jobId }, { signal });
  if (!callback) throw refusal(ctx, 'nothing was written down for this job to send');
  const { endpoint, headers } = callback;
  if (endpoint === null) throw refusal(ctx, 'no registered callback endpoint covers its URL');
  if (!headers) throw refusal(ctx, `the callback endpoint ${endpoint} is disabled`);
  const addresses = callback.allow_private
    ? null
    : await publicAddresses(new URL(callback.url), endpoint, ctx);
  const answer = await send(callback, headers, addresses, ctx);
  const verdict = callbackAnswer(answer.status);
  if (verdict === 'delivered') return { status: answer.status, endpoint };
  const problem = `${endpoint} answered ${answer.status}`;
  if (verdict === 'gone')
    await rpc(
      'disable_callback_endpoint',
      { url: endpoint, reason: `it answered ${answer.status}` },
      { signal },
    );
  if (verdict !== 'later') throw refusal(ctx, problem);
  throw new DeliveryFailed(
    `job ${ctx.type}: ${problem}`,
    nextDelay(ctx.retryCount, answer.headers.get('retry-after')),
  );
}

function refusal(ctx: Context, problem: string): NonRetryableError {
  return new NonRetryableError(`job ${ctx.type}: ${problem}`);
}

/** @throws {NonRetryableError} an address of the host is not public; which one is not said */
async function publicAddresses(url: URL, endpoint: string, ctx: Context): Promise<string[]> {
  if (url.protocol !== 'https:') throw refusal(ctx, `${endpoint}: expected https`);
  const { hostname } = url;
  const isAddress = /^\[|^\d+(\.\d+){3}$/.test(hostname);
  const addresses = isAddress ? [hostname] : await later(ctx, endpoint, () => ctx.http.resolve(hostname));
  if (addresses.length === 0 || !addresses.every(isPublicAddress))
    throw refusal(ctx, `${endpoint}: expected a host whose addresses are all public`);
  return addresses;
}

/** @param addresses - of the host, checked; null: those that its name resolves to */
async function send(
  { url, endpoint, body }: SignedCallback,
  signed: Record<string, string>,
  addresses: string[] | null,
  ctx: Context,
): Promise<Response> {
  const headers = { ...signed, 'content-type': 'application/json', 'user-agent': 'hybrid-jobs' };
  const init = { headers, body, signal: AbortSignal.any([ctx.signal, AbortSignal.timeout(timeoutMs)]) };
  const { http } = ctx;
  const response = await later(ctx, endpoint ?? '', () =>
    addresses
      ? http.postTo(addresses, url, init)
      : http.fetch(url, { ...init, method: 'POST', redirect: 'manual' }),
  );
  // Nobody reads the answer's body, however long it is; that it broke off does not change the answer.
  await response.body?.cancel().catch(() => undefined);
  return response;
}

/** Runs `work`; its failure is one of the network, to be tried again as an answer of the receiver would be. */
async function later<T>(ctx: Context, endpoint: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = `job ${ctx.type}: ${endpoint} could not be reached`;
    throw new DeliveryFailed(message, nextDelay(ctx.retryCount, null), { cause });
  }
}
