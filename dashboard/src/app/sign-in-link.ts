import type { DashboardClient } from './supabase-client.ts';

/**
 * Signs in by the address that the local stack prints (`#token_hash=…&type=magiclink`) and takes the code out of the
 * address and the history, whatever comes of it. Links that Supabase mails are read by the Auth client itself; their
 * refusals (`#error_description=…`) are read here.
 *
 * @returns why it failed; undefined when it did not, or when the address holds nothing of the kind
 */
export async function signInByAddress(
  auth: DashboardClient['auth'],
  page: Pick<Window, 'location' | 'history'>,
): Promise<string | undefined> {
  const given = new URLSearchParams(page.location.hash.slice(1));
  const tokenHash = given.get('token_hash');
  const refusal = given.get('error_description');
  if (tokenHash === null && refusal === null) return undefined;
  page.history.replaceState(null, '', page.location.pathname + page.location.search);
  if (tokenHash === null) return refusal ?? undefined;
  const { error } = await auth.verifyOtp({ token_hash: tokenHash, type: 'magiclink' });
  return error?.message;
}
