/** What has been started so far, to be stopped in reverse order. */
export interface Shutdown {
  add(stop: () => Promise<void>): void;
  /** Stops everything, once; later calls wait for the first. */
  run(): Promise<void>;
}

export function createShutdown(): Shutdown {
  const stops: (() => Promise<void>)[] = [];
  let underWay: Promise<void> | undefined;
  const stopAll = async () => {
    for (let stop = stops.pop(); stop; stop = stops.pop()) await stop();
  };
  return {
    add: (stop) => void stops.push(stop),
    run: () => (underWay ??= stopAll()),
  };
}
