import { setTimeout as sleep } from 'node:timers/promises';
import { callFunction, type Endpoint, type InngestEvent } from './inngest-protocol.ts';
import { advance, remember, startRun } from './inngest-run.ts';
import { createEventWaits, type EventWaits, type TimeOut } from './inngest-waits.ts';

/** A function as the endpoint lists it in development. */
export interface ServedFunction {
  /** With the app's id in front. */
  id: string;
  triggers: readonly { event?: string; cron?: string }[];
}

export interface ExecutorOptions extends Partial<Endpoint> {
  url: string;
  /** Default: asked from the endpoint, which tells only in development. */
  functions?: readonly ServedFunction[];
  /** Attempts after the first one. Default: 3. */
  retries?: number;
  /** Milliseconds before an attempt that did not say itself when to come again. Default: doubles from 1 s. */
  backoffMs?: (retry: number) => number;
  /** How the time-out of a wait for an event passes. Default: in real time. */
  timeOut?: TimeOut;
  onProgress?: (progress: RunProgress) => void;
}

/** What can be watched of a run. */
export interface RunProgress {
  runId: string;
  functionId: string;
  kind: 'started' | 'step' | 'wait' | 'retry' | 'completed' | 'failed';
  detail: string;
}

export interface RunEnd {
  runId: string;
  functionId: string;
  status: 'completed' | 'failed';
  /** What the function returned, or the error of its last attempt. */
  output: unknown;
  /** Requests sent. */
  requests: number;
}

export interface InngestExecutor {
  /** Hands the event to runs that wait for it, and runs every function that it triggers, to its end. */
  send(event: { name: string; data?: unknown; id?: string }): Promise<RunEnd[]>;
  /** Runs every function with this cron trigger, to its end, as if it were due `at`. */
  tick(cron: string, at: Date): Promise<RunEnd[]>;
}

/**
 * Plays Inngest's part on one machine: it matches events with functions, calls them over HTTP, remembers their steps
 * and retries them, wakes those that wait for an event, and tells their failure handlers when it gives up. For
 * development and tests; it keeps nothing on disk, does not sleep, and of expressions knows one.
 */
export function createInngestExecutor(options: ExecutorOptions): InngestExecutor {
  const waits = createEventWaits(options.timeOut);
  const endpoint = { fetch: globalThis.fetch, now: () => new Date(), ...options };
  const runTriggered = async (
    event: InngestEvent,
    isIt: (trigger: Trigger) => boolean,
  ): Promise<RunEnd[]> => {
    waits.deliver(event);
    const served = options.functions ?? (await askFunctions(endpoint));
    const triggered = served.filter(({ triggers }) => triggers.some(isIt));
    return await Promise.all(triggered.map((fn) => runToEnd(fn.id, event, endpoint, { ...options, waits })));
  };
  return {
    send: ({ name, data = {}, id = crypto.randomUUID() }) =>
      runTriggered({ id, name, data, ts: endpoint.now().getTime() }, ({ event }) => event === name),
    tick: (due, at) =>
      runTriggered(
        { id: crypto.randomUUID(), name: 'inngest/scheduled.timer', data: { cron: due }, ts: at.getTime() },
        ({ cron }) => cron === due,
      ),
  };
}

type Trigger = ServedFunction['triggers'][number];

async function askFunctions(endpoint: Endpoint): Promise<readonly ServedFunction[]> {
  const response = await endpoint.fetch(endpoint.url);
  const body = (await response.json()) as { functions?: ServedFunction[] };
  if (!body.functions)
    throw new Error(`${endpoint.url}: expected a list of functions, got ${response.status} without one`);
  return body.functions;
}

interface RunOptions extends ExecutorOptions {
  waits: EventWaits;
}

/** A run that failed is followed by one of the function's failure handler, which each of our functions has. */
async function runToEnd(
  functionId: string,
  event: InngestEvent,
  endpoint: Endpoint,
  options: RunOptions,
): Promise<RunEnd> {
  const end = await run(functionId, event, endpoint, options);
  if (end.status === 'failed')
    await run(`${functionId}-failure`, failureOf(end, event, endpoint), endpoint, options);
  return end;
}

function failureOf(
  { functionId, runId, output }: RunEnd,
  event: InngestEvent,
  { now }: Endpoint,
): InngestEvent {
  const error = { name: 'Error', message: detailOf(output), ...(typeof output === 'object' ? output : {}) };
  return {
    id: crypto.randomUUID(),
    name: 'inngest/function.failed',
    data: { function_id: functionId, run_id: runId, error, event },
    ts: now().getTime(),
  };
}

async function run(
  functionId: string,
  event: InngestEvent,
  endpoint: Endpoint,
  options: RunOptions,
): Promise<RunEnd> {
  const state = startRun(options);
  const { runId, steps } = state;
  const tell = (kind: RunProgress['kind'], detail: string): void =>
    options.onProgress?.({ runId, functionId, kind, detail });
  tell('started', event.name);
  for (let requests = 1; ; requests += 1) {
    const [stepId] = state.planned;
    const call = { functionId, stepId, runId, attempt: state.attempt, event, steps };
    const next = advance(state, await callFunction(endpoint, call), tell);
    if (next.kind === 'ended') {
      tell(next.status, detailOf(next.output));
      return { runId, functionId, status: next.status, output: next.output, requests };
    }
    if (next.kind === 'wait') {
      const arrived = options.waits.wait(next.op);
      tell('wait', next.op.displayName ?? next.op.id);
      remember(state, next.op, { type: 'data', data: await arrived });
    }
    if (next.kind === 'retry') {
      tell('retry', `${state.attempt} of ${state.retries}: ${detailOf(next.error)}`);
      await sleep(next.waitMs);
    }
  }
}

function detailOf(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) return String(value.message);
  return JSON.stringify(value);
}
