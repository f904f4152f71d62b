/** The user asked to stop before the work was done. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor() {
    super('interrupted');
  }
}

/** Stops what has been started so far, in reverse order, as soon as that is asked for. */
export interface Shutdown {
  /**
   * Notes how to stop a part that has just been started.
   * @throws {InterruptedError} a stop was requested meanwhile: start nothing more
   */
  add(stop: () => Promise<void>): void;
  /** Asks for an orderly end. */
  request(): void;
  /** Resolves when that was asked for. */
  readonly requested: Promise<void>;
  /** Stops everything, once; later calls wait for the first. */
  run(): Promise<void>;
}

export function createShutdown(): Shutdown {
  const stops: (() => Promise<void>)[] = [];
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  let isRequested = false;
  let underWay: Promise<void> | undefined;
  const stopAll = async () => {
    for (let stop = stops.pop(); stop; stop = stops.pop()) await stop();
  };
  return {
    requested,
    add: (stop) => {
      stops.push(stop);
      if (isRequested) throw new InterruptedError();
    },
    request: () => {
      isRequested = true;
      resolve();
    },
    run: () => (underWay ??= stopAll()),
  };
}
