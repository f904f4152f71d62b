import type { JobContext } from '../job-context.ts';

type Context = Pick<JobContext<unknown>, 'rpc' | 'secrets' | 'signal'>;

/**
 * The token or key that a user has left with us, opened; null when there is none. For use within one step: it must not
 * leave it. A secret under a retired key is sealed again under the one in use.
 * @throws {NonRetryableError} it cannot be opened; the message does not show it
 */
export async function openCredential(
  { rpc, secrets, signal }: Context,
  userId: string,
  provider: 'github' | 'openai',
): Promise<string | null> {
  const whose = { user_id: userId, provider };
  const stored = await rpc<string | null>('get_user_credential', whose, { signal });
  if (stored === null) return null;
  const context = { userId, purpose: provider };
  const { secret, isOld } = await secrets.open(stored, context);
  if (isOld) {
    const { sealed, keyId } = await secrets.seal(secret, context);
    const fresh = { ...whose, old_ciphertext: stored, ciphertext: sealed, key_id: keyId };
    await rpc('reseal_user_credential', fresh, { signal });
  }
  return secret;
}
