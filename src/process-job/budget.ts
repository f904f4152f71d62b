/** When an isolate of a host with a wall limit stops doing what. */
export interface Budget {
  /** From here on only jobs are claimed that usually fit into the time left. */
  fitFrom: Date;
  /** The host retires an isolate here, too: it sends no new requests. */
  stopClaimingAt: Date;
  stopStepsAt: Date;
  /** Running jobs are told to stop: what they need to do so must fit before the host's own limit. */
  deadline: Date;
  /** The host's own limit. */
  wallEnd: Date;
  /** How long a job may ignore its signal, in milliseconds. */
  graceMs: number;
}

/**
 * Shares of the wall time. The host retires an isolate at 50 % and warns it at about 90 %
 * (https://supabase.com/docs/guides/functions/limits).
 */
export function budgetOf(startedAt: Date, wallSeconds: number): Budget {
  const at = (share: number): Date => new Date(startedAt.getTime() + wallSeconds * 1000 * share);
  return {
    fitFrom: at(0.1),
    stopClaimingAt: at(0.5),
    stopStepsAt: at(0.75),
    deadline: at(0.85),
    wallEnd: at(1),
    graceMs: Math.min(3_000, wallSeconds * 1000 * 0.03),
  };
}
