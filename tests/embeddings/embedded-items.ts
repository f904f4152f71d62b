import { createHash } from 'node:crypto';
import { toBase64 } from '../../src/local/openai/vectors.ts';
import { randomFor } from '../../src/local/stand-in/random.ts';

/** Runs a statement on either kind of database, and answers with its rows. */
export type Sql = <Row = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<Row[]>;

export interface EmbeddedItem {
  item_type: 'issue' | 'pull_request' | 'discussion';
  item_id: string;
  /** 1 or 2. */
  repository: number;
  content_hash: string;
  model: string;
  /** Little-endian float32 in base64. */
  vector: string;
}

export const uuidOf = (number: number): string =>
  `00000000-0000-7000-8000-${number.toString().padStart(12, '0')}`;

export const hashOf = (title: string, body: string | null): string =>
  createHash('sha256')
    .update(`${title}\n\n${body ?? ''}`)
    .digest('hex');

const types = ['issue', 'pull_request', 'discussion'] as const;

/** Items in clusters, as texts on a few subjects are: neighbours are near, and the rest is far. */
export function embeddedItems(count: number, dimensions: number, model: string): EmbeddedItem[] {
  const random = randomFor(dimensions);
  const point = () => Array.from({ length: dimensions }, () => random.next() - 0.5);
  const centres = Array.from({ length: Math.ceil(count / 40) }, point);
  return Array.from({ length: count }, (_, index) => {
    const centre = centres[Math.floor(random.next() * centres.length)] ?? [];
    const vector = centre.map((number) => number + (random.next() - 0.5) * 0.6);
    return {
      item_type: types[index % 3] ?? 'issue',
      item_id: uuidOf(index + 1),
      repository: index % 4 === 0 ? 1 : 2,
      content_hash: hashOf(titleOf(index + 1), null),
      ...{ model, vector: toBase64(Float32Array.from(vector)) },
    };
  });
}

const titleOf = (number: number): string => `Item ${number}`;

/** Two repositories with so many items, whose ids are `uuidOf(1)` and so on. */
export async function storeItems(sql: Sql, count: number): Promise<void> {
  await sql(`insert into repositories (id, github_id, owner, name)
    select ('00000000-0000-7000-9000-00000000000' || n)::uuid, n, 'octo-org', 'r' || n from generate_series(1, 2) n`);
  const columns = 'id, github_id, repository_id, number, title, state, created_at, updated_at';
  const values = (type: number) =>
    `select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, n,
      ('00000000-0000-7000-9000-00000000000' || case when (n - 1) % 4 = 0 then 1 else 2 end)::uuid, n, 'Item ' || n, 'open',
      timestamptz '2026-01-01', timestamptz '2026-01-01' + n * interval '1 minute'`.concat(
      type === 1 ? `, 'main', 'topic'` : type === 2 ? `, 'ideas'` : '',
      ` from generate_series(1, ${count}) n where (n - 1) % 3 = ${type}`,
    );
  await sql(`insert into issues (${columns}) ${values(0)}`);
  await sql(`insert into pull_requests (${columns}, base_branch, head_branch) ${values(1)}`);
  await sql(`insert into discussions (${columns}, category) ${values(2)}`);
}

/** Stores them in pages of 500. */
export async function storeEmbeddings(sql: Sql, items: readonly EmbeddedItem[]): Promise<void> {
  for (let start = 0; start < items.length; start += 500)
    await sql('select store_embeddings($1::jsonb)', [JSON.stringify(items.slice(start, start + 500))]);
}
