import { NonRetryableError } from '../jobs/outcomes.ts';
import { decodeBase64Url, encodeBase64Url } from './base64-url.ts';

/** Whose secret it is, and what for. A sealed text opens for nobody and nothing else. */
export interface SecretContext {
  /** Supabase's id of the user. */
  userId: string;
  /** For example `github`. */
  purpose: string;
}

export interface OpenedSecret {
  secret: string;
  /** It was sealed with a key that is about to be retired: seal it again. */
  isOld: boolean;
}

/** A sealed secret, as it may be stored. */
export interface SealedSecret {
  /** `v1.<key id>.<iv>.<ciphertext>`, the last two in base64url. */
  sealed: string;
  /** Names the key; it cannot be found from it. */
  keyId: string;
}

/**
 * Encrypts secrets at rest: AES-256-GCM (NIST SP 800-38D) with a random IV of 96 bits for each text, over WebCrypto. The
 * version, the key's id, the user and the purpose are authenticated with it. No error holds a secret, a key or a sealed text.
 */
export interface SecretBox {
  /** @throws {NonRetryableError} no key is configured */
  seal(secret: string, context: SecretContext): Promise<SealedSecret>;
  /** @throws {NonRetryableError} no key is configured, or none of them opens this text in this context */
  open(sealed: string, context: SecretContext): Promise<OpenedSecret>;
}

const variable = 'GITHUB_TOKEN_ENCRYPTION_KEY';
const version = 'v1';
const ivBytes = 12;

interface Key {
  id: string;
  key: CryptoKey;
}

/** @param rawKeys - of 32 bytes each: the first seals, all of them open. None: nothing can be sealed or opened. */
export function createSecretBox(rawKeys: readonly Uint8Array<ArrayBuffer>[]): SecretBox {
  let imported: Promise<Key[]> | undefined;
  const keys = (): Promise<Key[]> => (imported ??= Promise.all(rawKeys.map(importKey)));

  async function sealingKey(): Promise<Key> {
    const [first] = await keys();
    if (first) return first;
    throw new NonRetryableError(`${variable}: expected a key to keep users' tokens under, got nothing`);
  }

  return {
    async seal(secret, context) {
      const { id, key } = await sealingKey();
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
      const parameters = { name: 'AES-GCM', iv, additionalData: authenticated(id, context) };
      const ciphertext = await crypto.subtle.encrypt(parameters, key, new TextEncoder().encode(secret));
      const parts = [version, id, encodeBase64Url(iv), encodeBase64Url(new Uint8Array(ciphertext))];
      return { sealed: parts.join('.'), keyId: id };
    },
    async open(sealed, context) {
      const current = await sealingKey();
      const { id, iv, ciphertext } = readEnvelope(sealed, context);
      const found = (await keys()).find((candidate) => candidate.id === id);
      if (!found)
        throw unreadable(context, `it was sealed with the key ${id}, which ${variable} does not hold`);
      const parameters = { name: 'AES-GCM', iv, additionalData: authenticated(id, context) };
      try {
        const secret = await crypto.subtle.decrypt(parameters, found.key, ciphertext);
        return { secret: new TextDecoder().decode(secret), isOld: id !== current.id };
      } catch {
        throw unreadable(context, 'it was changed, or sealed for another user or purpose');
      }
    },
  };
}

async function importKey(raw: Uint8Array<ArrayBuffer>): Promise<Key> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', raw));
  const id = Array.from(digest.slice(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { id, key: await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']) };
}

function authenticated(keyId: string, { userId, purpose }: SecretContext): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify([version, keyId, userId.toLowerCase(), purpose]));
}

function readEnvelope(
  sealed: string,
  context: SecretContext,
): { id: string; iv: Uint8Array<ArrayBuffer>; ciphertext: Uint8Array<ArrayBuffer> } {
  const [, id, iv, ciphertext] = /^v1\.([0-9a-f]{8})\.([\w-]{16})\.([\w-]+)$/.exec(sealed) ?? [];
  if (id === undefined || iv === undefined || ciphertext === undefined)
    throw unreadable(context, `expected an envelope ${version}.<key id>.<iv>.<ciphertext>`);
  return { id, iv: decodeBase64Url(iv), ciphertext: decodeBase64Url(ciphertext) };
}

function unreadable({ userId, purpose }: SecretContext, reason: string): NonRetryableError {
  return new NonRetryableError(`the stored ${purpose} secret of user ${userId} cannot be opened: ${reason}`);
}
