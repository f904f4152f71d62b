import { createKeyMatch } from '../runtime/key-match.ts';

/**
 * Checks the key of a request, taken from `Authorization: Bearer …` or `apikey`, against the accepted ones.
 * @throws {TypeError} no key, or an empty one, is accepted
 */
export function createKeyCheck(acceptedKeys: readonly string[]): (request: Request) => Promise<boolean> {
  const matches = createKeyMatch(acceptedKeys);
  return async (request) => await matches(presentedKeys(request));
}

function presentedKeys({ headers }: Request): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
  return [bearer, headers.get('apikey')].filter((key) => key != null && key !== '') as string[];
}
