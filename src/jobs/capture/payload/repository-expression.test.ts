import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { repositoryExpression } from './repository-expression.ts';
import { repositoryKey, repositoryPayload } from './repository-reference.ts';

/** Inngest's reading of the expression: JavaScript with `?.` for each dot, since it takes what is missing for null. */
function evaluate(data: object): unknown {
  const lowercase = (text: string): string => text.toLowerCase();
  return runInNewContext(repositoryExpression.replaceAll('.', '?.'), { event: { data }, lowercase });
}

const uuid = '0194f3c2-7c1a-7000-8000-000000000001';

it.each([
  { repository: 'Octo-Org/Hello' },
  { repository: { owner: 'octo-org', name: 'hello' } },
  { repository: { owner: 'octo-org', name: 'HELLO', github_id: 7 }, repositoryId: uuid },
  { owner: 'octo-org', repo: 'hello' },
  { owner: 'octo-org', name: 'hello', repository: null },
  { repositoryId: uuid },
])('is to Inngest what the key is to SQL: %j', (data) => {
  const { repository } = repositoryPayload.parse(data);
  expect(`repository:${String(evaluate(data))}`).toBe(repositoryKey(repository));
});
