/** Longest delay that `setTimeout` takes; anything above fires at once. */
const longestDelay = 2 ** 31 - 1;

/** Something that must be told when its time is up, or when the host must go. */
export interface Timed {
  /** Its deadline in epoch milliseconds. */
  readonly endsAt: number;
  outOfTime(): void;
  /** The host's shutdown. */
  handOff(): void;
}

/** Watches the deadlines of all running attempts with one timer, and the host's shutdown with one listener. */
export interface AttemptClock {
  /** At a shutdown that has begun it is told at once. */
  watch(timed: Timed): void;
  forget(timed: Timed): void;
}

export function createAttemptClock(options: { shutdown: AbortSignal; now: () => Date }): AttemptClock {
  const { shutdown, now } = options;
  const watched = new Set<Timed>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** What the timer waits for, in epoch milliseconds. */
  let nextDeadline = Infinity;

  function waitFor(deadline: number): void {
    clearTimeout(timer);
    nextDeadline = deadline;
    const left = Math.max(0, deadline - now().getTime());
    timer = setTimeout(left > longestDelay ? look : ring, Math.min(left, longestDelay));
  }

  function ring(): void {
    const over = Math.max(nextDeadline, now().getTime());
    for (const timed of [...watched]) if (timed.endsAt <= over) tell(timed);
    look();
  }

  function tell(timed: Timed): void {
    watched.delete(timed);
    timed.outOfTime();
  }

  function look(): void {
    let earliest = Infinity;
    for (const { endsAt } of watched) earliest = Math.min(earliest, endsAt);
    if (earliest < Infinity) waitFor(earliest);
    else rest();
  }

  function rest(): void {
    clearTimeout(timer);
    nextDeadline = Infinity;
    // The signal may outlive the host: nothing of it stays behind.
    shutdown.removeEventListener('abort', handOffAll);
  }

  function handOffAll(): void {
    for (const timed of [...watched]) timed.handOff();
  }

  return {
    watch(timed) {
      if (shutdown.aborted) timed.handOff();
      else if (watched.size === 0) shutdown.addEventListener('abort', handOffAll);
      watched.add(timed);
      if (timed.endsAt < nextDeadline) waitFor(timed.endsAt);
    },
    forget(timed) {
      if (watched.delete(timed) && watched.size === 0) rest();
    },
  };
}
