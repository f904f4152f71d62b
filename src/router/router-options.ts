import type { Rpc } from '../database/rpc.ts';
import type { GitHub } from '../github/github.ts';
import type { JobDefinition } from '../jobs/define-job.ts';
import type { EventApi, OutsideHttp } from '../jobs/job-context.ts';
import type { OpenAi } from '../openai/openai.ts';
import type { JobQueue } from '../queue/job-queue.ts';
import type { Logger } from '../runtime/logger.ts';
import type { SecretBox } from '../secrets/secret-box.ts';
import type { LaneOf } from './lanes.ts';
import type { Wake } from './wake.ts';

/** What routing an event takes, with or without Inngest. */
export interface RouterOptions {
  catalog: readonly JobDefinition[];
  queue: JobQueue;
  laneOf: LaneOf;
  wake: Wake;
  /** For jobs that run inline. */
  rpc: Rpc;
  /** For jobs that run inline. */
  http: OutsideHttp;
  /** For jobs that run inline. */
  inngestEvents: EventApi | null;
  /** For jobs that run inline; called only when one asks for GitHub. */
  github: (log: Logger) => GitHub;
  /** For jobs that run inline. */
  openai: OpenAi;
  /** For jobs that run inline. Default: one without a key, which opens nothing. */
  secrets?: SecretBox | undefined;
  log: Logger;
  now: () => Date;
  /** Longest time of an inline job within one request, in seconds; then it goes to the edge lane. */
  inlineBudgetSeconds: number;
}
