import type { Account } from '../data/records.ts';
import { smallId } from './ids.ts';

/** A user, bot, mannequin or organization. Bots lose their `[bot]` here, as they do on GitHub. */
export function renderActor(account: Account): object {
  const login = account.login.replace(/\[bot\]$/, '');
  const resourcePath = account.type === 'Bot' ? `/apps/${login}` : `/${login}`;
  return {
    __typename: account.type,
    id: account.nodeId,
    databaseId: smallId(account.databaseId),
    login,
    name: account.name,
    email: account.type === 'Mannequin' ? null : '',
    avatarUrl: account.avatarUrl,
    resourcePath,
    url: `https://github.com${resourcePath}`,
  };
}

export function renderAuthor(author: Account | null): object | null {
  return author && renderActor(author);
}
