import { type Answer, skipped } from '../command/findings.ts';
import type { HybridConfig } from '../../runtime/config.ts';
import type { JobsDatabase } from '../jobs/jobs-host.ts';

/** A deployment as far as the environment tells of it. */
export interface Patient {
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

export const noDatabase = [
  skipped('no connection to the database is known', 'set DATABASE_URL to look at the database itself'),
];
export const noConfig = [skipped('the variables are incomplete', 'mend the variables first')];
