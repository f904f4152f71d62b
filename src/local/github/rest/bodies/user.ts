import type { Account } from '../../data/records.ts';
import type { Schema } from './schema.ts';

/** Who GitHub names as the author of what a deleted account has left behind. */
const GHOST: Account = {
  type: 'User',
  login: 'ghost',
  databaseId: 10_137,
  nodeId: 'MDQ6VXNlcjEwMTM3',
  name: 'Deleted user',
  avatarUrl: 'https://avatars.githubusercontent.com/u/10137?v=4',
};

export function userBody(api: string, account: Account): Schema<'simple-user'> {
  const url = `${api}/users/${encodeURIComponent(account.login)}`;
  const page = account.type === 'Bot' ? `apps/${account.login.replace('[bot]', '')}` : account.login;
  return {
    login: account.login,
    id: account.databaseId,
    node_id: account.nodeId,
    avatar_url: account.avatarUrl,
    gravatar_id: '',
    url,
    html_url: `https://github.com/${page}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

/** REST shows the ghost where GraphQL says null. */
export function authorBody(api: string, author: Account | null): Schema<'simple-user'> {
  return userBody(api, author ?? GHOST);
}
