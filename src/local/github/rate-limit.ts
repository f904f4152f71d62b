/** A limit and what is left of it, as in GitHub's `x-ratelimit-*` headers. */
export interface Quota {
  resource: 'core' | 'graphql';
  limit: number;
  remaining: number;
  used: number;
  /** Seconds since the epoch, UTC. */
  resetAt: number;
}

export interface RateLimitOptions {
  /** Points or requests per window. Default 5000, GitHub's figure for a token. */
  limit?: number;
  /** What is left of the first window. Default: the limit. */
  remaining?: number;
  /** Length of a window. Default 3600. */
  resetSeconds?: number;
}

/** One bucket that counts down and fills up again when its window ends. */
export interface RateLimit {
  quota(): Quota;
  /** Null, and nothing is taken, when there is less left than asked for. */
  spend(points: number): Quota | null;
}

/** @param now milliseconds since the epoch */
export function createRateLimit(
  resource: Quota['resource'],
  options: RateLimitOptions,
  now: () => number,
): RateLimit {
  const limit = options.limit ?? 5000;
  const windowSeconds = options.resetSeconds ?? 3600;
  const nextReset = (): number => Math.ceil(now() / 1000) + windowSeconds;
  let remaining = options.remaining ?? limit;
  let resetAt = nextReset();

  const quota = (): Quota => {
    if (now() >= resetAt * 1000) {
      remaining = limit;
      resetAt = nextReset();
    }
    return { resource, limit, remaining, used: limit - remaining, resetAt };
  };
  return {
    quota,
    spend: (points) => {
      if (quota().remaining < points) return null;
      remaining -= points;
      return quota();
    },
  };
}

export function rateLimitHeaders(quota: Quota): Record<string, string> {
  return {
    'x-ratelimit-limit': String(quota.limit),
    'x-ratelimit-remaining': String(quota.remaining),
    'x-ratelimit-used': String(quota.used),
    'x-ratelimit-reset': String(quota.resetAt),
    'x-ratelimit-resource': quota.resource,
  };
}
