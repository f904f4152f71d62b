import { NonRetryableError, SnoozeError } from '../jobs/outcomes.ts';
import { describeError, retryAfterSeconds } from '../queue/error-record.ts';
import { toShownJson } from '../queue/storable-json.ts';
import type { StepsOf } from './inline.ts';

/** Inngest's `step.run`, as far as an inline job needs it. */
export type StepRun = (id: string, work: () => Promise<unknown>) => Promise<unknown>;

/** The limit that Inngest sets for a step's output. */
const stepLimitBytes = 4_000_000;

const thrownTag = 'hybrid-jobs/thrown';

/** How a thrown error travels through Inngest's step state. */
interface ThrownStep {
  /** The attempt that it ended; a later attempt runs the step again. */
  attempt: string;
  name: string;
  message: string;
  /** Of a snooze: ISO time. */
  until?: string;
  retryable: boolean;
  retryAfterSeconds?: number;
}

/**
 * `ctx.step` over Inngest's `step.run`. What a step throws travels as a tagged value: to Inngest the step is done and
 * spends none of its attempts, and the job sees the error where it would see it on any other lane. A failed attempt is
 * followed by one that runs the step anew, under an id of its own, since Inngest remembers the first one for good.
 *
 * Inngest may end the request at any step: then `step.run` never resolves, and the next request replays.
 * When the attempt is stopped (time limit, cancel), the job learns it at once, but the step is kept open until
 * the outcome is written: closing it would let Inngest end the request first.
 */
export function inngestSteps(stepRun: StepRun): StepsOf {
  return ({ id: attempt, stopped, written }) => {
    const attemptId = attempt.slice(0, 8);

    async function runToValue(name: string, work: () => Promise<unknown>): Promise<unknown> {
      const settled = settle(`output of step "${name}"`, work, attemptId);
      const signal = stopped();
      const first = signal ? await Promise.race([settled, whenAborted(signal)]) : await settled;
      if (!signal?.aborted) return first;
      await written;
      return tagged(new Error('the attempt was stopped during this step'), attemptId);
    }

    return async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      for (let failures = 0; ; failures += 1) {
        const id = failures === 0 ? name : `${name} (retry ${failures})`;
        const output = await unlessAborted(
          stopped(),
          stepRun(id, () => runToValue(name, work)),
        );
        const thrown = asThrown(output);
        if (!thrown) return output as T;
        if (thrown.attempt === attemptId) throw revive(thrown);
      }
    };
  };
}

async function settle(what: string, work: () => Promise<unknown>, attempt: string): Promise<unknown> {
  try {
    return toShownJson(what, await work(), stepLimitBytes).value;
  } catch (error) {
    return tagged(error, attempt);
  }
}

function tagged(error: unknown, attempt: string): Record<typeof thrownTag, ThrownStep> {
  const { name, message } = describeError(error);
  const wait = retryAfterSeconds(error);
  // A snooze until no time at all is a failure, here as on every other lane.
  const snoozed = error instanceof SnoozeError && !Number.isNaN(error.until.getTime());
  return {
    [thrownTag]: {
      attempt,
      name,
      message,
      retryable: !(error instanceof NonRetryableError),
      ...(snoozed ? { until: error.until.toISOString() } : {}),
      ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
    },
  };
}

function asThrown(output: unknown): ThrownStep | null {
  if (typeof output !== 'object' || output === null || !(thrownTag in output)) return null;
  return output[thrownTag] as ThrownStep;
}

function revive({ name, message, until, retryable, retryAfterSeconds: wait }: ThrownStep): Error {
  if (until !== undefined) return new SnoozeError(new Date(until), message);
  if (!retryable) return new NonRetryableError(message);
  return Object.assign(new Error(message), { name }, wait === undefined ? {} : { retryAfterSeconds: wait });
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return await work;
  const aborted = whenAborted(signal).then((): never => {
    throw signal.reason as Error;
  });
  return await Promise.race([work, aborted]);
}
