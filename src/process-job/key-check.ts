/**
 * Checks the key of a request, taken from `Authorization: Bearer …` or `apikey`, against the accepted ones. Digests
 * of equal length are compared without an early exit, so the time tells nothing about a key.
 * @throws {TypeError} no key, or an empty one, is accepted
 */
export function createKeyCheck(acceptedKeys: readonly string[]): (request: Request) => Promise<boolean> {
  if (acceptedKeys.length === 0 || acceptedKeys.includes(''))
    throw new TypeError('expected acceptedKeys to be non-empty strings, at least one');
  const accepted = Promise.all(acceptedKeys.map(digest));
  return async (request) => {
    const presented = await Promise.all(presentedKeys(request).map(digest));
    let matches = 0;
    for (const key of await accepted) for (const candidate of presented) matches += equal(key, candidate);
    return matches > 0;
  };
}

function presentedKeys({ headers }: Request): string[] {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1];
  return [bearer, headers.get('apikey')].filter((key) => key != null && key !== '') as string[];
}

async function digest(key: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)));
}

function equal(a: Uint8Array, b: Uint8Array): 0 | 1 {
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0 ? 1 : 0;
}
