import { createGitHub } from '../../src/github/create-github.ts';
import { catalog } from '../../src/jobs/catalog.ts';
import { type GitHubStandIn, startGitHubStandIn } from '../../src/local/github/stand-in.ts';
import { createJobQueue, type JobRow } from '../../src/queue/job-queue.ts';
import { perform } from '../../src/queue/perform.ts';
import type { PerformHostOptions } from '../../src/queue/perform-host.ts';
import { createSecretBox, type SecretBox } from '../../src/secrets/secret-box.ts';
import { storeRepository } from '../support/captured-repository.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { testHost } from '../support/queue-host.ts';
import { silentLogger } from '../support/silent-logger.ts';

/** Must be seen nowhere but in a request to GitHub. In no form that a filter would know. */
export const userToken = 'canary-5e1f-of-the-user';

/** A repository with three pages of commits, a private one, one without commits, and users who may want them analysed. */
export interface AnalysisWorld {
  database: TestDatabase;
  standIn: GitHubStandIn;
  secrets: SecretBox;
  /** Ids of our rows by full name. */
  repositories: Record<'octo-org/busy' | 'octo-org/secret' | 'octo-org/unborn', string>;
  /** Stores a sealed token or key of the user. */
  leave(userId: string, provider: 'github' | 'openai', secret: string): Promise<void>;
  /** A pending analysis and its job; returns the ids of both. */
  start(userId: string, repositoryId: string, more?: object): Promise<{ analysisId: string; jobId: string }>;
  /** Runs one attempt of the job, as a worker would. */
  attempt(jobId: string, more?: Partial<PerformHostOptions>): Promise<JobRow>;
  analysis(id: string): Promise<AnalysisRow>;
  close(): Promise<void>;
}

export interface AnalysisRow {
  id: string;
  user_id: string;
  status: string;
  error: string | null;
  result: Record<string, unknown> | null;
  job_id: string | null;
  started_at: Date | null;
  completed_at: Date | null;
}

export async function startAnalysisWorld(): Promise<AnalysisWorld> {
  const database = await createTestDatabase();
  const { pool, rpc } = database;
  const standIn = await startGitHubStandIn({
    acceptedTokens: ['platform-token', userToken],
    now: Date.parse('2026-11-01T00:00:00Z'),
    repositories: [
      { owner: 'octo-org', name: 'busy', commits: 230 },
      { owner: 'octo-org', name: 'secret', commits: 3, fields: { isPrivate: true } },
      { owner: 'octo-org', name: 'unborn', commits: 0 },
    ],
  });
  const store = async (fullName: string): Promise<string> =>
    await storeRepository(database, fullName, standIn.data.repository(fullName)?.fields.databaseId ?? 0);
  const secrets = createSecretBox([new Uint8Array(32).fill(7)]);
  const queue = createJobQueue(rpc);
  return {
    ...{ database, standIn, secrets },
    repositories: {
      'octo-org/busy': await store('octo-org/busy'),
      'octo-org/secret': await store('octo-org/secret'),
      'octo-org/unborn': await store('octo-org/unborn'),
    },
    async leave(userId, provider, secret) {
      const { sealed, keyId } = await secrets.seal(secret, { userId, purpose: provider });
      const row = { user_id: userId, provider, ciphertext: sealed, key_id: keyId };
      await rpc('store_user_credential', row);
    },
    async start(userId, repositoryId, more = {}) {
      const { rows } = await pool.query<{ id: string }>(
        'insert into analysis_jobs (user_id, repository_id) values ($1, $2) returning id',
        [userId, repositoryId],
      );
      const analysisId = rows[0]?.id ?? '';
      const payload = { jobId: analysisId, userId, repoId: repositoryId, ...more };
      const [job] = await queue.enqueue([{ type: 'repo/analyze.requested', payload, lane: 'edge' }]);
      return { analysisId, jobId: job?.id ?? '' };
    },
    async attempt(jobId, more = {}) {
      const claimed = await queue.claimOne(jobId, 'test', 60);
      if (!claimed) throw new Error(`job ${jobId} could not be claimed`);
      const github = createGitHub({
        ...{ token: 'platform-token', tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger },
      });
      const host = testHost({ queue, rpc, catalog }, { github: () => github, secrets, ...more });
      await perform(claimed, host);
      const row = await queue.get(jobId);
      if (!row) throw new Error(`job ${jobId} is gone`);
      return row;
    },
    async analysis(id) {
      const { rows } = await pool.query<AnalysisRow>('select * from analysis_jobs where id = $1', [id]);
      if (!rows[0]) throw new Error(`analysis ${id} is gone`);
      return rows[0];
    },
    async close() {
      await database.close();
      await standIn.close();
    },
  };
}
