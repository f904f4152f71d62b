import type { Logger } from '../runtime/logger.ts';

export interface FirstRequestOptions {
  work: () => Promise<void>;
  /** What the log says when it failed. */
  failure: string;
  log: Logger;
  /** Keeps the host alive until the promise is settled. */
  waitUntil: (promise: Promise<unknown>) => void;
}

/** Starts the work at the first call, and after a failure at the next one; no request waits for it. */
export function atFirstRequest({ work, failure, log, waitUntil }: FirstRequestOptions): () => void {
  let started = false;
  return () => {
    if (started) return;
    started = true;
    waitUntil(
      work().catch((error: unknown) => {
        started = false;
        log.error({ error: String(error) }, failure);
      }),
    );
  };
}
