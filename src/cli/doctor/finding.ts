import type { HybridConfig } from '../../runtime/config.ts';
import type { JobsDatabase } from '../jobs/jobs-host.ts';

/** What one check found. */
export interface Finding {
  check: string;
  state: 'ok' | 'warning' | 'failed' | 'skipped';
  found: string;
  /** Null where nothing is to be done. */
  todo: string | null;
}

/** A deployment as far as the environment tells of it. */
export interface Patient {
  /** For people: a stack of this machine, or the environment. */
  name: string;
  /** A stack that runs here: its own process sweeps. */
  isLocalStack: boolean;
  /** Null when the variables are malformed. */
  config: HybridConfig | null;
  /** Null when no database URL is known, or nobody answers there. */
  database: Pick<JobsDatabase, 'rpc' | 'query'> | null;
  /** Address of `inngest-hybrid`; null when nobody said. */
  endpoint: string | null;
  fetch: typeof fetch;
  now: () => Date;
}

/** @throws anything: told as a failure of the check */
export type Check = (patient: Patient) => Promise<Answer[]>;

type Answer = Omit<Finding, 'check'>;

export const ok = (found: string): Answer => ({ state: 'ok', found, todo: null });
export const warning = (found: string, todo: string): Answer => ({ state: 'warning', found, todo });
export const failed = (found: string, todo: string): Answer => ({ state: 'failed', found, todo });
export const skipped = (found: string, todo: string): Answer => ({ state: 'skipped', found, todo });

export const noDatabase = [
  skipped('no connection to the database is known', 'set DATABASE_URL to look at the database itself'),
];
export const noConfig = [skipped('the variables are incomplete', 'mend the variables first')];
