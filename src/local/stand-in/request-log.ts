/** Enough for any test, and bounded for a local stack that runs for days. */
const CAPACITY = 5000;

export interface RequestLog<Recorded> {
  readonly requests: readonly Recorded[];
  add(request: Recorded): void;
}

/** Keeps the latest requests, oldest first. */
export function createRequestLog<Recorded>(): RequestLog<Recorded> {
  const requests: Recorded[] = [];
  return {
    requests,
    add: (request) => {
      if (requests.length >= CAPACITY) requests.shift();
      requests.push(request);
    },
  };
}
