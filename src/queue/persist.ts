import { DatabaseUnreachableError, RpcError } from '../database/rpc.ts';
import type { Logger } from '../runtime/logger.ts';
import { pause } from './alarm.ts';
import type { HeldLease } from './heartbeats.ts';

const firstPauseMs = 100;
const longestPauseMs = 3_000;

/**
 * SQLSTATE classes and codes after which the same call may succeed: connection exceptions, insufficient resources,
 * operator intervention, serialization failure, deadlock, lock not available; PostgREST's own connection errors; a
 * gateway that is busy or stumbled before PostgREST was asked.
 * https://www.postgresql.org/docs/17/errcodes-appendix.html
 */
const passing = /^(08|53|57|40001|40P01|55P03|PGRST00[0-3]|HTTP(408|425|429|500))/;

/**
 * A function, column or table that is not there, a plan that no longer fits, a function that PostgREST has not heard of:
 * so end calls that are under way when a migration replaces what they use. The next call finds the new.
 */
const replaced = /^(42883|42703|42P01|0A000|PGRST202)$/;

/** With the pauses between them 1.5 s, in which PostgREST reads a schema again. */
const triesOfReplaced = 5;

/**
 * Codes that blame the data: a bad request, data exceptions, violated constraints, exceeded limits. Others, such as a
 * missing function or grant, are mended by people.
 */
const aboutData = /^(PT4|PGRST1|HTTP413|22|23|54)/;

export function mayPass(error: unknown): boolean {
  return error instanceof DatabaseUnreachableError || (error instanceof RpcError && passing.test(error.code));
}

/**
 * True when one of several that share a call may be what it failed for: one that is refused refuses the whole call, and
 * one whose row somebody's open transaction holds blocks it. Each is to be tried by itself then.
 */
export function mayBeOfOne(error: unknown): boolean {
  return !mayPass(error) || (error instanceof RpcError && error.code === '55P03');
}

function mayBeReplaced(error: unknown, tries: number): boolean {
  return error instanceof RpcError && replaced.test(error.code) && tries < triesOfReplaced;
}

/** True when the same call would be refused again, since what it says is refused. */
export function blamesData(error: RpcError): boolean {
  return aboutData.test(error.code);
}

/**
 * Repeats a write while the database is away, for as long as the lease can still hold, and a few times while a migration
 * may be replacing what the write needs.
 * @returns the write's answer; null when the lease ended first: the job is rescued, nothing is lost
 * @throws what the database refused for a reason that will not pass
 */
export async function persist<T>(
  what: string,
  lease: HeldLease,
  log: Logger,
  write: () => Promise<T>,
): Promise<T | null> {
  try {
    return await write();
  } catch (failure) {
    return await persistAfter(failure, what, lease, log, write);
  }
}

/** {@link persist}, for a write that has failed once. */
export async function persistAfter<T>(
  failure: unknown,
  what: string,
  lease: HeldLease,
  log: Logger,
  write: () => Promise<T>,
): Promise<T | null> {
  let error = failure;
  let wait = firstPauseMs;
  for (let tries = 1; mayPass(error) || mayBeReplaced(error, tries); tries += 1) {
    if (!lease.mayHold()) {
      log.error({ jobId: lease.jobId, what, error: String(error) }, 'gave up writing: the lease is over');
      return null;
    }
    log.warn({ jobId: lease.jobId, what, error: String(error) }, 'could not write, trying again');
    await pause(wait);
    wait = Math.min(wait * 2, longestPauseMs);
    try {
      return await write();
    } catch (again) {
      error = again;
    }
  }
  throw error;
}
