import { hash32, objectId, type Random } from '../../stand-in/random.ts';
import type { Account } from './records.ts';

const PEOPLE: readonly (readonly [login: string, name: string | null])[] = [
  ['ada-moreau', 'Ada Moreau'],
  ['b-okafor', 'Blessing Okafor'],
  ['chen-wei', '陈伟'],
  ['d4niel', null],
  ['elif-yilmaz', 'Elif Yılmaz'],
  ['fatima-haddad', 'فاطمة حداد'],
  ['gunnar-x', 'Gunnar Ås'],
  ['hana-sato', '佐藤 花'],
  ['i-petrov', 'Иван Петров'],
  ['joao-prado', 'João Prado'],
  ['kkim', '김경희'],
  ['liam-ocallaghan', "Liam O'Callaghan"],
  ['maya-levi', 'מאיה לוי'],
  ['n00r', null],
  ['octo-olga', 'Olga 🐙'],
  ['priya-nair', 'Priya Nair'],
];

const BOTS: readonly (readonly [login: string, databaseId: number])[] = [
  ['dependabot[bot]', 49_699_333],
  ['github-actions[bot]', 41_898_282],
];

/** The accounts that take part in a repository: people, bots, and one imported mannequin. */
export interface Cast {
  readonly people: readonly Account[];
  readonly bots: readonly Account[];
  readonly mannequin: Account;
}

/** The same accounts for every repository, as one person works in many. */
export function createCast(): Cast {
  return {
    people: PEOPLE.map(([login, name]) => createAccount('User', login, name)),
    bots: BOTS.map(([login, databaseId]) => createAccount('Bot', login, null, databaseId)),
    mannequin: createAccount('Mannequin', 'imported-from-svn', 'Imported from SVN'),
  };
}

/** @param databaseId derived from the login unless given, as GitHub's own bots have well-known numbers. */
export function createAccount(
  type: Account['type'],
  login: string,
  name: string | null,
  databaseId: number = 1_000_000 + (hash32(login) % 90_000_000),
): Account {
  const prefix = { User: 'U', Bot: 'BOT', Mannequin: 'M', Organization: 'O' }[type];
  return {
    type,
    login,
    databaseId,
    nodeId: `${prefix}_kgDO${objectId('account', login).slice(0, 8)}`,
    name,
    avatarUrl: `https://avatars.githubusercontent.com/u/${databaseId}?v=4`,
  };
}

/** Somebody who opens or discusses things; now and then a bot, or null for a deleted account. */
export function pickAuthor(random: Random, cast: Cast): Account | null {
  const roll = random.next();
  if (roll < 0.05) return null;
  if (roll < 0.14) return random.pick(cast.bots);
  if (roll < 0.16) return cast.mannequin;
  return random.pick(cast.people);
}

/** A person other than the given one: nobody approves their own pull request. */
export function pickReviewer(random: Random, cast: Cast, author: Account | null): Account | null {
  if (random.chance(0.05)) return null;
  return random.pick(cast.people.filter((person) => person.login !== author?.login));
}
