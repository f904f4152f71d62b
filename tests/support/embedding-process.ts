import pg from 'pg';
import { createPgRpc } from '../../src/database/pg-rpc.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import type { OpenAiStandIn } from '../../src/local/openai/stand-in.ts';
import { createOpenAi } from '../../src/openai/create-openai.ts';
import { drain } from '../../src/queue/drain.ts';
import { createJobQueue, type JobRow } from '../../src/queue/job-queue.ts';
import type { PerformHostOptions } from '../../src/queue/perform-host.ts';
import type { TestDatabase } from './database.ts';
import { testHost } from './queue-host.ts';
import { silentLogger } from './silent-logger.ts';

/** A process of its own as far as others can tell: it shares nothing with them but the database. */
export interface EmbeddingProcess {
  /** Runs what it can claim on the edge lane, until it can claim nothing. */
  drain(overrides?: Partial<PerformHostOptions>): Promise<void>;
  close(): Promise<void>;
}

export function startEmbeddingProcess(
  { url }: Pick<TestDatabase, 'url'>,
  standIn: Pick<OpenAiStandIn, 'url'>,
  apiKey = 'sk-of-the-platform',
): EmbeddingProcess {
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  const rpc = createPgRpc(pool);
  const queue = createJobQueue(rpc);
  const openai = createOpenAi({ apiKey: apiKey || undefined, baseUrl: standIn.url, rpc, log: silentLogger });
  return {
    async drain(overrides) {
      const host = testHost({ queue, rpc, catalog }, { openai, ...overrides });
      await queue.sweep();
      await drain({
        ...{ host, lane: 'edge', worker: crypto.randomUUID(), concurrency: 1 },
        stopClaimingAt: host.stopStepsAt,
      });
    },
    close: () => pool.end(),
  };
}

/** Enqueues a job for embeddings and returns its id. */
export async function enqueueEmbeddings({ rpc }: TestDatabase, payload: unknown = {}): Promise<string> {
  const [job] = await createJobQueue(rpc).enqueue([{ type: 'embeddings/compute.requested', payload }]);
  return job?.id ?? '';
}

export async function jobRow({ rpc }: TestDatabase, id: string): Promise<JobRow> {
  const row = await createJobQueue(rpc).get(id);
  if (!row) throw new Error(`job ${id} is gone`);
  return row;
}

/** A repository with so many issues. `body` is SQL over `n`, from 1. Returns its id. */
export async function addIssues({ pool }: TestDatabase, count: number, body: string): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(
    `insert into repositories (github_id, owner, name)
     select coalesce(max(github_id), 0) + 1, 'octo-org', 'embedded' || coalesce(max(github_id), 0) + 1 from repositories
     returning id`,
  );
  const id = rows[0]?.id ?? '';
  await pool.query(
    `insert into issues (github_id, repository_id, number, title, body, state, created_at, updated_at)
     select (select coalesce(max(github_id), 0) from issues) + n, $1, n, 'Issue ' || n, ${body}, 'open', now(), now()
     from generate_series(1, $2::integer) as n`,
    [id, count],
  );
  return id;
}
