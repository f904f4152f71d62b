import type { JobContext } from '../jobs/job-context.ts';
import { NonRetryableError } from '../jobs/outcomes.ts';
import { type Attempt, AttemptStopped } from './attempt.ts';
import type { PerformHost } from './perform-host.ts';
import { persist } from './persist.ts';
import { toShownJson } from './storable-json.ts';

/** The limit that Inngest sets for a step's output, so that a job may change lanes. */
const stepLimitBytes = 4_000_000;

/** The durable steps of one attempt. */
export interface AttemptSteps {
  /** `ctx.step`: once per name; refused when the host has no time for another step. */
  step: JobContext<unknown>['step'];
  /** True when a step was refused: the job is not done, whatever its run makes of the refusal. */
  refused(): boolean;
  /** Resolves when no step is running any more, or when the attempt is stopped. */
  settled(): Promise<void>;
}

/** Step outputs pass through JSON, so that the first run and a resumed one see the same value. */
export function createAttemptSteps(attempt: Attempt, host: PerformHost): AttemptSteps {
  const { job } = attempt;
  const names = new Set<string>();
  const running = new Set<Promise<unknown>>();
  let refused = false;

  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (names.has(name))
      throw new NonRetryableError(`job ${job.type}: step "${name}" is used twice in one run`);
    names.add(name);
    if (Object.hasOwn(job.steps, name)) return job.steps[name] as T;
    attempt.signal.throwIfAborted();
    if (host.now() >= host.stopStepsAt) {
      refused = true;
      throw new AttemptStopped(job, 'hand-off');
    }
    return host.runStep ? await host.runStep(name, work) : await runAndSave(name, work);
  }

  async function runAndSave<T>(name: string, work: () => Promise<T>): Promise<T> {
    const what = `job ${job.type}: output of step "${name}"`;
    const output = toShownJson(what, await work(), stepLimitBytes).value;
    const { lease } = attempt;
    const saved = await persist(what, lease, host.log, () => host.queue.saveStep(lease, name, output));
    if (saved) return output as T;
    attempt.stop('lost');
    throw new AttemptStopped(job, 'lost');
  }

  return {
    step(name, work) {
      const result = step(name, work);
      running.add(result);
      const forget = (): void => void running.delete(result);
      // A job may start steps side by side and leave at the first error: the others must not become unhandled.
      result.then(forget, forget);
      return result;
    },
    refused: () => refused,
    async settled() {
      const { promise: stopped, resolve } = Promise.withResolvers<void>();
      attempt.whenStopped(resolve);
      await Promise.race([Promise.allSettled(running), stopped]);
    },
  };
}
