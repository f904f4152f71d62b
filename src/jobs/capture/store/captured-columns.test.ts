import { expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../../tests/support/database.ts';
import { runJob } from '../../../../tests/support/job-context.ts';
import { silentLogger } from '../../../../tests/support/silent-logger.ts';
import { createGitHub } from '../../../github/create-github.ts';
import { startGitHubStandIn } from '../../../local/github/stand-in.ts';
import type { CapturePage } from './capture-page.ts';

it('the captured tables have every column that the jobs write', async () => {
  const database = await createTestDatabase();
  const written = new Map<string, Set<string>>();
  const standIn = await startGitHubStandIn();
  const github = createGitHub({ tokenName: 'GITHUB_TOKEN', baseUrl: standIn.url, log: silentLogger });
  const rpc: TestDatabase['rpc'] = async (name, args, options) => {
    if (name === 'upsert_capture_page' || name === 'upsert_issues_page')
      noteColumns((args?.page ?? {}) as CapturePage, written);
    return await database.rpc(name, args, options);
  };
  const repository = 'octo-org/hello-hybrid';
  const prNumber = standIn.data.repository(repository)?.busyNumber;
  await runJob({ rpc }, github, 'capture/pr.details', { repository, prNumber });
  for (const type of ['capture/pr.reviews', 'capture/pr.comments'])
    await runJob({ rpc }, github, type, { repository, prNumber, force: true });
  await runJob({ rpc }, github, 'capture/repository.sync.graphql', { repository });
  await runJob({ rpc }, github, 'capture/repository.issues', { repository });
  const issueNumber = standIn.data.repository(repository)?.issues()[0]?.number;
  await runJob({ rpc }, github, 'capture/issue.comments', { repository, issueNumber });
  await standIn.close();
  expect([...written.keys()].sort()).toEqual([
    'comments',
    'contributors',
    'issues',
    'pull_requests',
    'repositories',
    'reviews',
  ]);
  const times = ['details_synced_at', 'reviews_synced_at', 'comments_synced_at'];
  expect([...(written.get('pull_requests') ?? [])]).toEqual(expect.arrayContaining(times));
  for (const [table, columns] of written) {
    const { rows } = await database.pool.query<{ column_name: string }>(
      `select column_name from information_schema.columns where table_schema = 'public' and table_name = $1`,
      [table],
    );
    expect(rows.map(({ column_name }) => column_name)).toEqual(expect.arrayContaining([...columns]));
  }
  await database.close();
});

/** `author_github_id` in a page is `author_id` in the table; only threads and reviews are named by GitHub's ids there. */
const kept = new Set(['github_id', 'in_reply_to_github_id', 'review_github_id']);

function noteColumns(
  { fetched_at: _, repository, ...lists }: CapturePage,
  written: Map<string, Set<string>>,
): void {
  for (const [table, rows] of Object.entries({ ...lists, repositories: [repository] }))
    for (const key of (rows as object[]).flatMap((row) => Object.keys(row))) {
      const columns = written.get(table) ?? new Set();
      written.set(table, columns.add(kept.has(key) ? key : key.replace(/_github_id$/, '_id')));
    }
}
