import { Unexpected } from './config-values.ts';

/**
 * `GITHUB_TOKEN_ENCRYPTION_KEY`: the key in use first, then those that it has replaced.
 * @throws {Unexpected} one of them is not 32 bytes in base64
 */
export function encryptionKeys(text: string): Uint8Array<ArrayBuffer>[] {
  const keys = text.split(',').map((key) => decode(key.trim()));
  if (!keys.every((key) => key.byteLength === 32))
    throw new Unexpected('base64 keys of 32 bytes each, separated by commas (openssl rand -base64 32)');
  return keys;
}

/** Empty, which is no key, when the text is not base64. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) return new Uint8Array(0);
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
