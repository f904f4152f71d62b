import type { FunctionAnswer, StepMemory, StepOp } from './inngest-protocol.ts';

/** A run as Inngest remembers it between two requests. */
export interface RunState {
  readonly runId: string;
  /** By hashed id, in the order in which they ended. */
  readonly steps: Map<string, StepMemory>;
  /** Steps that were announced and wait for a request of their own, by hashed id. */
  readonly planned: string[];
  /** Counts from zero again after each step, as Inngest does. */
  attempt: number;
  /** Attempts after the first one. */
  readonly retries: number;
  /** Milliseconds before a retry that did not say itself when to come. */
  readonly backoffMs: (retry: number) => number;
}

/** What an answer means for the run. */
export type Next =
  | { kind: 'continue' }
  | { kind: 'retry'; waitMs: number; error: unknown }
  | { kind: 'wait'; op: StepOp }
  | { kind: 'ended'; status: 'completed' | 'failed'; output: unknown };

/** Tells what happens in the run: a step, with its name. */
export type TellStep = (kind: 'step', name: string) => void;

export function startRun(options: { retries?: number; backoffMs?: (retry: number) => number }): RunState {
  const { retries = 3, backoffMs = (retry) => 1000 * 2 ** retry } = options;
  return { runId: crypto.randomUUID(), steps: new Map(), planned: [], attempt: 0, retries, backoffMs };
}

/** Takes one answer into the run's memory. */
export function advance(run: RunState, answer: FunctionAnswer, tell: TellStep): Next {
  switch (answer.kind) {
    case 'returned':
      return { kind: 'ended', status: 'completed', output: answer.output };
    case 'threw':
      return answer.retry && run.attempt < run.retries
        ? retry(run, answer.error, answer.retryAfterMs)
        : { kind: 'ended', status: 'failed', output: answer.error };
    case 'steps':
      return takeSteps(run, answer.ops, answer.retry, tell);
  }
}

function retry(run: RunState, error: unknown, waitMs = run.backoffMs(run.attempt)): Next {
  run.attempt += 1;
  return { kind: 'retry', waitMs, error };
}

function takeSteps(run: RunState, ops: StepOp[], mayRetry: boolean, tell: TellStep): Next {
  let next: Next = { kind: 'continue' };
  for (const op of ops) {
    const meaning = takeStep(run, op, mayRetry, tell);
    if (meaning.kind !== 'continue') next = meaning;
  }
  return next;
}

function takeStep(run: RunState, op: StepOp, mayRetry: boolean, tell: TellStep): Next {
  switch (op.op) {
    case 'RunComplete':
      return { kind: 'ended', status: 'completed', output: op.data };
    case 'StepPlanned':
      if (!run.planned.includes(op.id)) run.planned.push(op.id);
      return { kind: 'continue' };
    case 'StepRun':
      tell('step', op.displayName ?? op.id);
      return remember(run, op, { type: 'data', data: op.data ?? null });
    case 'StepError':
      if (mayRetry && run.attempt < run.retries) return retry(run, op.error);
      return remember(run, op, { type: 'error', error: op.error });
    case 'StepFailed':
      return remember(run, op, { type: 'error', error: op.error });
    case 'WaitForEvent':
      return { kind: 'wait', op };
    default:
      throw new Error(`Inngest operation ${op.op}: not available in the local executor`);
  }
}

/** Takes a step's outcome into the run's memory. */
export function remember(run: RunState, op: StepOp, memory: StepMemory): Next {
  run.steps.set(op.id, memory);
  run.attempt = 0;
  const announced = run.planned.indexOf(op.id);
  if (announced !== -1) run.planned.splice(announced, 1);
  return { kind: 'continue' };
}
