import type { Account } from './contributor-rows.ts';

/** What {@link actorFields} asks for. Kinds of actors without a number of their own have no `databaseId`. */
export interface Actor {
  __typename: string;
  login: string;
  avatarUrl: string;
  databaseId?: number | null;
  user?: { databaseId: number | null } | null;
}

export const actorFields = `fragment actorFields on Actor {
  __typename login avatarUrl
  ... on User { databaseId }
  ... on Bot { databaseId }
  ... on Organization { databaseId }
  ... on Mannequin { databaseId }
  ... on EnterpriseUserAccount { user { databaseId } }
}`;

/** Null for a deleted account, and for an actor without an id, which could not be recognised again. */
export function accountFromGraphQL(actor: Actor | null): Account | null {
  const id = actor?.databaseId ?? actor?.user?.databaseId;
  if (actor === null || id == null) return null;
  const isBot = actor.__typename === 'Bot';
  return {
    id,
    // GraphQL drops the ending that tells a bot from a person of the same name.
    login: isBot && !actor.login.endsWith('[bot]') ? `${actor.login}[bot]` : actor.login,
    type: actor.__typename === 'EnterpriseUserAccount' ? 'User' : actor.__typename,
    avatarUrl: actor.avatarUrl,
  };
}
