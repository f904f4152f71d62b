/** Whether one of the presented keys is an accepted one. */
export type KeyMatch = (presentedKeys: readonly string[]) => Promise<boolean>;

/**
 * Compares keys by their digests, which are of equal length, without an early exit, so the time tells nothing about
 * a key.
 * @throws {TypeError} no key, or an empty one, is accepted
 */
export function createKeyMatch(acceptedKeys: readonly string[]): KeyMatch {
  if (acceptedKeys.length === 0 || acceptedKeys.includes(''))
    throw new TypeError('expected acceptedKeys to be non-empty strings, at least one');
  const accepted = Promise.all(acceptedKeys.map(digest));
  return async (presentedKeys) => {
    const presented = await Promise.all(presentedKeys.map(digest));
    let matches = 0;
    for (const key of await accepted) for (const candidate of presented) matches += equal(key, candidate);
    return matches > 0;
  };
}

async function digest(key: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key)));
}

function equal(a: Uint8Array, b: Uint8Array): 0 | 1 {
  let difference = 0;
  for (let index = 0; index < a.length; index += 1) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0 ? 1 : 0;
}
