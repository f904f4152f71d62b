/** Longest delay that `setTimeout` takes; anything above fires at once. */
const longestDelay = 2 ** 31 - 1;

/**
 * Calls `ring` once when `time` has come, at once (but not synchronously) when it is past.
 * @returns cancels the alarm
 */
export function setAlarm(time: Date, now: () => Date, ring: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    const left = Math.max(0, time.getTime() - now().getTime());
    timer = setTimeout(left > longestDelay ? arm : ring, Math.min(left, longestDelay));
  };
  arm();
  return () => clearTimeout(timer);
}

/** Resolves after `milliseconds`, or as soon as `signal` is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.max(0, Math.min(milliseconds, longestDelay)));
    signal?.addEventListener('abort', end);
  });
}

/** Calls `work` when everything that this turn of the event loop has set off is done. */
export const afterThisTurn: (work: () => void) => void =
  typeof setImmediate === 'function' ? (work) => setImmediate(work) : (work) => setTimeout(work, 0);
