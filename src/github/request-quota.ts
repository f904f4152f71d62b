import { SnoozeError } from '../jobs/outcomes.ts';
import type { QuotaLedger } from '../quotas/quota-ledger.ts';
import { quotaInData, quotaInHeaders, quotaOf } from './quota-report.ts';
import type { ResponseHeaders } from './rate-limit.ts';

/** Keeps one request within its quota, and learns from its answer. */
export interface RequestQuota {
  /** @throws {SnoozeError} the quota is known to be exhausted: GitHub would refuse, and counts such requests */
  admit(): void;
  /** Notes what an answer says of the quota, be it a refusal; to a token that it refuses, GitHub speaks of no token's. */
  learn(answer: { status: number; headers: ResponseHeaders; data: unknown }): void;
  /** Tells every process when a rate limit refused the request, before the job gives up. */
  refused(error: unknown): Promise<void>;
}

/** @param ledger null: nothing is known, and nothing is told */
export function requestQuota(ledger: QuotaLedger | null, request: { graphql: boolean }): RequestQuota {
  let quota = quotaOf(request, {});
  return {
    admit() {
      const until = ledger?.exhaustedUntil(quota) ?? null;
      if (until !== null) throw new SnoozeError(until, `GitHub's rate limit: ${quota} is exhausted`);
    },
    learn({ status, headers, data }) {
      if (status === 401) return;
      quota = quotaOf(request, headers);
      for (const report of [quotaInHeaders(quota, headers), quotaInData(data)])
        if (report !== null) ledger?.note(report);
    },
    async refused(error) {
      if (!(error instanceof SnoozeError)) return;
      ledger?.note({ quota, blockedUntil: error.until });
      await ledger?.write();
    },
  };
}
