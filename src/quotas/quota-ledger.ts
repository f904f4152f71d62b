import type { Rpc } from '../database/rpc.ts';
import type { Logger } from '../runtime/logger.ts';
import type { QuotaReport } from './quota-report.ts';

/** Small changes of a quota are written together, this long after the first, in milliseconds. */
const writeAfterMs = 1_000;

/** What a process knows of the quotas of its token, shared with all other processes through the database. */
export interface QuotaLedger {
  /** Notes what an answer said; it is written soon. */
  note(report: QuotaReport): void;
  /** Until when the quota is exhausted, as far as this process knows; null: it is not. */
  exhaustedUntil(quota: string): Date | null;
  /** Writes what is noted, now: before a job gives up for lack of quota, so that no other starts. Never throws. */
  write(): Promise<void>;
}

export interface QuotaLedgerOptions {
  rpc: Rpc;
  /** Names the token in the database; never the token itself. */
  token: Promise<string>;
  log: Logger;
  now: () => Date;
}

/** The ledger of one token. A report that cannot be written is kept and written with the next one. */
export function createQuotaLedger(options: QuotaLedgerOptions): QuotaLedger {
  const { rpc, log, now } = options;
  const known = new Map<string, QuotaReport>();
  let unwritten = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function send(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const quotas = unwritten;
    if (quotas.size === 0) return;
    unwritten = new Set();
    try {
      const token = await options.token;
      const reports = [...quotas].flatMap((quota) => known.get(quota) ?? []);
      await rpc('report_job_quotas', { reports: reports.map((report) => toRow(report, token)) });
    } catch (error) {
      quotas.forEach((quota) => unwritten.add(quota));
      // Nothing is lost: it is written with the next answer, and a refusal snoozes its job all the same.
      log.info({ error: String(error) }, 'could not write what is left of a quota');
    }
  }

  const write = (): Promise<void> => (writing = writing.then(send));

  function exhaustedUntil(quota: string): Date | null {
    const report = known.get(quota);
    const until = Math.max(
      report?.blockedUntil?.getTime() ?? 0,
      report?.remaining === 0 ? (report.resetsAt?.getTime() ?? 0) : 0,
    );
    return until > now().getTime() ? new Date(until) : null;
  }

  return {
    note(report) {
      const before = known.get(report.quota);
      const after = merged(before, report);
      if (after === before) return;
      known.set(report.quota, after);
      unwritten.add(report.quota);
      if (exhaustedUntil(report.quota) !== null) void write();
      else timer ??= setTimeout(() => void write(), writeAfterMs);
    },
    exhaustedUntil,
    write,
  };
}

/** Answers overtake each other: within one window the quota only shrinks, a later window begins anew. */
function merged(before: QuotaReport | undefined, report: QuotaReport): QuotaReport {
  if (before === undefined) return report;
  const blockedUntil = later(before.blockedUntil, report.blockedUntil);
  const window = isNews(before, report) ? report : before;
  if (window === before && blockedUntil === before.blockedUntil) return before;
  return { ...before, ...window, ...(blockedUntil === undefined ? {} : { blockedUntil }) };
}

function isNews(before: QuotaReport, report: QuotaReport): boolean {
  const [old, fresh] = [before.resetsAt?.getTime() ?? 0, report.resetsAt?.getTime() ?? 0];
  return fresh > old || (fresh === old && (report.remaining ?? Infinity) < (before.remaining ?? Infinity));
}

function later(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

function toRow(report: QuotaReport, token: string): Record<string, unknown> {
  return {
    quota: report.quota,
    token,
    allowance: report.allowance,
    remaining: report.remaining,
    resets_at: report.resetsAt?.toISOString(),
    blocked_until: report.blockedUntil?.toISOString(),
  };
}

/** A name for a token that tells it from others and from which it cannot be found: the start of its SHA-256. */
export async function fingerprint(token: string | undefined): Promise<string> {
  if (token === undefined) return 'anonymous';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
  return Array.from(new Uint8Array(digest).slice(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
}
