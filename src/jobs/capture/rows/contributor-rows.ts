import type { ContributorRow } from '../store/capture-page.ts';
import { storable } from './captured-text.ts';

/** An account as either API shows it. */
export interface Account {
  id: number;
  /** As REST writes it: bots end with `[bot]`. */
  login: string;
  /** `User`, `Bot`, `Organization`, `Mannequin`, … */
  type: string;
  avatarUrl: string;
}

/** Collects the accounts that a page mentions, each once. */
export class ContributorRows {
  readonly #rows = new Map<number, ContributorRow>();

  /** Notes the account and returns its GitHub id, null when there is none: deleted accounts are normal. */
  add(account: Account | null): number | null {
    if (account === null) return null;
    const { id, login, type, avatarUrl } = account;
    this.#rows.set(id, {
      github_id: id,
      username: storable(login),
      account_type: type,
      is_bot: type === 'Bot' || login.endsWith('[bot]'),
      avatar_url: plainAvatarUrl(avatarUrl),
    });
    return id;
  }

  all(): ContributorRow[] {
    return [...this.#rows.values()];
  }
}

/** GraphQL adds a hash (`u=…`) to the address that REST leaves out; both lead to the same picture. */
function plainAvatarUrl(avatarUrl: string): string {
  if (!URL.canParse(avatarUrl)) return avatarUrl;
  const url = new URL(avatarUrl);
  url.searchParams.delete('u');
  return url.href;
}
