import type { QuotaReport } from '../quotas/quota-report.ts';
import { grantsNothing, type ResponseHeaders } from './rate-limit.ts';

/** What `rateLimit { limit cost remaining resetAt }` may answer. */
interface GraphQLRateLimit {
  limit?: number;
  remaining?: number;
  resetAt?: string;
}

/** The quota that a request spends, by the answer's word or by the API it was sent to. */
export function quotaOf(request: { graphql: boolean }, headers: ResponseHeaders): string {
  const resource = headers['x-ratelimit-resource'] ?? (request.graphql ? 'graphql' : 'core');
  return `github:${resource}`;
}

/** What the headers of an answer say of its quota; null when they say nothing. */
export function quotaInHeaders(quota: string, headers: ResponseHeaders): QuotaReport | null {
  const number = (name: string): number => Number(headers[`x-ratelimit-${name}`] ?? NaN);
  const [allowance, remaining, reset] = [number('limit'), number('remaining'), number('reset')];
  if (!isCount(remaining) || !isCount(reset) || grantsNothing(headers)) return null;
  return { quota, ...(isCount(allowance) ? { allowance } : {}), remaining, resetsAt: new Date(reset * 1000) };
}

/** What the `rateLimit` field of a GraphQL answer says; null when the query did not ask. */
export function quotaInData(data: unknown): QuotaReport | null {
  if (typeof data !== 'object' || data === null || !('data' in data)) return null;
  const { rateLimit } = (data.data ?? {}) as { rateLimit?: GraphQLRateLimit | null };
  const resetsAt = new Date(rateLimit?.resetAt ?? NaN);
  if (!isCount(rateLimit?.remaining) || Number.isNaN(resetsAt.getTime())) return null;
  const { remaining, limit: allowance } = rateLimit;
  return { quota: 'github:graphql', ...(isCount(allowance) ? { allowance } : {}), remaining, resetsAt };
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0;
}
