import { setAlarm } from '../queue/alarm.ts';

/** So long after its last job a lane counts as idle, in milliseconds. */
const idleAfterMs = 200;

/** Tells whether a lane waits for the bell: only then do enqueues ring it, because each ring makes commits wait. */
export interface IdleSign {
  /** To be called after each claim. */
  claimed(jobs: number): void;
  isUp(): boolean;
  /** Puts the sign down for good. */
  end(): void;
}

/**
 * @param options.show - writes the worker's row; the sign counts as up when that is done
 * @param options.lookAgain - called once the sign is up: a job enqueued just before nobody rang for
 */
export function createIdleSign(options: {
  now: () => Date;
  show: () => Promise<void>;
  lookAgain: () => void;
}): IdleSign {
  const { now, show, lookAgain } = options;
  let up = false;
  let ended = false;
  let cancelAlarm: (() => void) | null = null;

  function calm(): void {
    cancelAlarm?.();
    cancelAlarm = null;
  }

  async function raise(): Promise<void> {
    cancelAlarm = null;
    up = true;
    await show();
    if (up) lookAgain();
  }

  return {
    claimed(jobs) {
      if (ended) return;
      if (jobs > 0) {
        calm();
        if (!up) return;
        up = false;
        void show();
      } else if (!up) {
        cancelAlarm ??= setAlarm(new Date(now().getTime() + idleAfterMs), now, () => void raise());
      }
    },
    isUp: () => up,
    end() {
      ended = true;
      up = false;
      calm();
    },
  };
}
