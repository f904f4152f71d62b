import { signAsInngest } from './inngest-signature.ts';

/** An event as Inngest hands it to a function. */
export interface InngestEvent {
  id: string;
  name: string;
  data: unknown;
  /** Epoch milliseconds. */
  ts: number;
}

/** What Inngest remembers of a step. */
export type StepMemory = { type: 'data'; data: unknown } | { type: 'error'; error: unknown };

/** One thing that a function asks Inngest to remember or to do. */
export interface StepOp {
  id: string;
  op: string;
  displayName?: string;
  /** Of a wait: the event's name. */
  name?: string;
  /** Of a wait. */
  opts?: { timeout?: string; if?: string };
  data?: unknown;
  error?: unknown;
}

/** A call of a function: its run so far. */
export interface FunctionCall {
  functionId: string;
  /** Hash of the one step to run; default: whatever comes next. */
  stepId?: string;
  runId: string;
  attempt: number;
  event: InngestEvent;
  /** Step memories by hashed id, in the order in which they ended. */
  steps: ReadonlyMap<string, StepMemory>;
}

/** What the endpoint answered. */
export type FunctionAnswer =
  | { kind: 'returned'; output: unknown }
  | { kind: 'steps'; ops: StepOp[]; retry: boolean }
  | { kind: 'threw'; error: unknown; status: number; retry: boolean; retryAfterMs?: number };

export interface Endpoint {
  /** The URL of `inngest-hybrid`. */
  url: string;
  /** Default: unsigned, as the Inngest Dev Server calls. */
  signingKey?: string;
  fetch: typeof fetch;
  now: () => Date;
}

/** Sends one execution request. A refused connection counts as an error that is worth a retry. */
export async function callFunction(endpoint: Endpoint, call: FunctionCall): Promise<FunctionAnswer> {
  const url = new URL(endpoint.url);
  url.searchParams.set('fnId', call.functionId);
  url.searchParams.set('stepId', call.stepId ?? 'step');
  const body = requestBody(call);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (endpoint.signingKey)
    headers['x-inngest-signature'] = await signAsInngest(body, endpoint.signingKey, endpoint.now());
  try {
    const response = await endpoint.fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return readAnswer(response, parseJson(await response.text()));
  } catch (error) {
    return { kind: 'threw', error: { message: String(error) }, status: 0, retry: true };
  }
}

/** Without `fn_id` the SDK answers after each step instead of calling Inngest's checkpoint API, which is not here. */
function requestBody({ runId, attempt, event, steps }: FunctionCall): unknown {
  const stack = [...steps.keys()];
  return {
    version: -1,
    event,
    events: [event],
    steps: Object.fromEntries(steps),
    ctx: {
      run_id: runId,
      attempt,
      disable_immediate_execution: false,
      use_api: false,
      stack: { stack, current: stack.length },
    },
  };
}

function readAnswer(response: Response, body: unknown): FunctionAnswer {
  const retry = response.headers.get('x-inngest-no-retry') !== 'true';
  if (response.status === 206) return { kind: 'steps', ops: toOps(body), retry };
  if (response.ok) return { kind: 'returned', output: body };
  const retryAfterMs = toMilliseconds(response.headers.get('retry-after'));
  return { kind: 'threw', error: body, status: response.status, retry, retryAfterMs };
}

function toOps(body: unknown): StepOp[] {
  return (Array.isArray(body) ? body : [body]) as StepOp[];
}

/** Seconds, or a date. */
function toMilliseconds(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined;
  const seconds = Number(retryAfter);
  const wait = Number.isNaN(seconds) ? Date.parse(retryAfter) - Date.now() : seconds * 1000;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
