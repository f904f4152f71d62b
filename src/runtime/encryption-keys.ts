import { z } from 'zod';

const expected = 'base64 keys of 32 bytes each, separated by commas (openssl rand -base64 32)';

/** `GITHUB_TOKEN_ENCRYPTION_KEY`: the key in use first, then those that it has replaced. */
export const encryptionKeys: z.ZodType<Uint8Array<ArrayBuffer>[]> = z
  .string(expected)
  .transform((text) => text.split(',').map((key) => decode(key.trim())))
  .refine((keys) => keys.every((key) => key.byteLength === 32), expected);

/** Empty, which is no key, when the text is not base64. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) return new Uint8Array(0);
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
