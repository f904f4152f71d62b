import type { Logger } from '../runtime/logger.ts';

/** What became of a wake call. A call that failed loses nothing: the sweep wakes later. */
export type WakeResult = { woken: true } | { woken: false; reason: string };

/** Tells `process-job`, so many isolates of it (default: 1), that there is work. Never throws. */
export type Wake = (isolates?: number) => Promise<WakeResult>;

export interface WakeOptions {
  fetch: typeof fetch;
  /** The URL of `process-job`. */
  url: string;
  /** A key that `process-job` accepts. */
  key: string;
  log: Logger;
  /** Default: 5,000. */
  timeoutMs?: number;
}

/**
 * Builds the wake call. Calls made while one is under way share the one that follows it: a job enqueued after the
 * first call was sent may have been missed by it.
 */
export function createWake(options: WakeOptions): Wake {
  let underWay: Promise<WakeResult> | null = null;
  let next: Promise<WakeResult> | null = null;
  let isolatesNext = 1;

  function start(isolates: number): Promise<WakeResult> {
    underWay = callProcessJob(options, isolates).finally(() => (underWay = null));
    return underWay;
  }

  return (isolates = 1) => {
    if (!underWay) return start(isolates);
    isolatesNext = Math.max(isolatesNext, isolates);
    next ??= underWay.then(() => {
      const most = isolatesNext;
      next = null;
      isolatesNext = 1;
      return start(most);
    });
    return next;
  };
}

/** The host gives each of several requests at a time to an isolate of its own when those that it has are busy. */
async function callProcessJob(options: WakeOptions, isolates: number): Promise<WakeResult> {
  const calls = await Promise.all(Array.from({ length: isolates }, () => post(options)));
  const reason = calls.find((failure) => failure !== null);
  if (reason === undefined) return { woken: true };
  options.log.warn({ url: options.url, reason }, 'could not wake process-job, the sweep will');
  return { woken: false, reason };
}

/** Null when it answered well, else why not. */
async function post({ fetch, url, key, timeoutMs = 5_000 }: WakeOptions): Promise<string | null> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, apikey: key, 'content-type': 'application/json' },
      body: '{}',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    return answer.ok ? null : `process-job answered ${answer.status}`;
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    return timedOut ? `no answer within ${timeoutMs} ms` : 'process-job is not reachable';
  }
}
