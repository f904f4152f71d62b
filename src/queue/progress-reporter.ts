import type { Logger } from '../runtime/logger.ts';
import { redactTokens } from '../runtime/redact.ts';
import type { Attempt } from './attempt.ts';
import type { JobQueue } from './job-queue.ts';
import { makeTextStorable } from './storable-json.ts';

const shortestIntervalMs = 1_000;
const longestMessage = 500;

interface Progress {
  percent: number;
  message: string | null;
}

/** `ctx.progress` of one attempt. Cheap to call in a loop: at most one write per second, the newest report wins. */
export interface ProgressReporter {
  report: (percent: number, message?: string) => Promise<void>;
  /** Waits for a write that is under way, and drops a later one. */
  close(): Promise<void>;
}

/** A report that cannot be written is logged and forgotten: the job is more important than its progress. */
export function createProgressReporter(
  attempt: Attempt,
  queue: Pick<JobQueue, 'reportProgress'>,
  log: () => Logger,
): ProgressReporter {
  let next: Progress | null = null;
  let writing = Promise.resolve();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  async function write({ percent, message }: Progress): Promise<void> {
    try {
      const accepted = await queue.reportProgress(attempt.lease, percent, message);
      if (!accepted && !closed) attempt.stop('lost');
    } catch (error) {
      log().warn({ error: String(error) }, 'could not write progress');
    }
  }

  function writeNext(): void {
    timer = undefined;
    if (!next) return;
    writing = write(next);
    next = null;
    timer = setTimeout(() => void writing.then(writeNext), shortestIntervalMs);
  }

  return {
    report(percent, message) {
      if (closed) return Promise.resolve();
      next = { percent: wholePercent(percent), message: shortMessage(message) };
      if (timer === undefined) writeNext();
      return Promise.resolve();
    },
    async close() {
      closed = true;
      next = null;
      clearTimeout(timer);
      await writing;
    },
  };
}

function wholePercent(percent: number): number {
  return Number.isNaN(percent) ? 0 : Math.round(Math.min(100, Math.max(0, percent)));
}

function shortMessage(message: string | undefined): string | null {
  if (message === undefined) return null;
  // Redacted before it is cut: half a token looks like none.
  return makeTextStorable(
    redactTokens(String(message).slice(0, 4 * longestMessage)).slice(0, longestMessage),
  );
}
