import { setAlarm } from '../queue/alarm.ts';

/** So long after its last job a lane that was busy counts as calm, in milliseconds. */
const calmAfterMs = 50;

/** Jobs that follow each other faster than this, in milliseconds, are found as soon by looking. */
const restlessMs = 20;

/** So many jobs at once do not make a lane busy: putting the sign down and up is a commit each. */
const strayJobs = 3;

/**
 * Tells whether a lane has room for a job and waits for the bell: only then do enqueues ring it, because each ring makes
 * commits wait. While jobs come in short intervals the lane looks often enough without it.
 */
export interface IdleSign {
  /** To be called after each claim. `room`: how many jobs it could have brought. */
  claimed(jobs: number, room: number): void;
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
  let lastJobAt = -Infinity;
  let jobsAtOnce = 0;
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

  function lower(): void {
    if (!up) return;
    up = false;
    void show();
  }

  function raiseSoon(): void {
    if (!up) cancelAlarm ??= setAlarm(new Date(now().getTime() + calmAfterMs), now, () => void raise());
  }

  return {
    claimed(jobs, room) {
      if (ended) return;
      if (jobs === 0) return raiseSoon();
      const at = now().getTime();
      jobsAtOnce = at - lastJobAt < restlessMs ? jobsAtOnce + jobs : jobs;
      lastJobAt = at;
      calm();
      const hasRoom = jobs < room;
      if (!hasRoom || jobsAtOnce > strayJobs) lower();
      if (hasRoom) raiseSoon();
    },
    isUp: () => up,
    end() {
      ended = true;
      up = false;
      calm();
    },
  };
}
