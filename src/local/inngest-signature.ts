/**
 * Signs a request as Inngest does: HMAC-SHA256 of the canonical JSON body and the Unix time.
 * @param body - what the JSON stands for; a text is signed as it is, the empty one for a request without a body
 * @param signingKey - with or without its `signkey-…-` prefix
 * @returns the value of `x-inngest-signature`
 */
export async function signAsInngest(body: unknown, signingKey: string, now: Date): Promise<string> {
  const time = Math.floor(now.getTime() / 1000).toString();
  const bytes = new TextEncoder();
  const key = await crypto.subtle.importKey(
    'raw',
    bytes.encode(signingKey.replace(/^signkey-\w+-/, '')),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign'],
  );
  const signature = await crypto.subtle.sign(
    'HMAC',
    key,
    bytes.encode((typeof body === 'string' ? body : canonicalJson(body)) + time),
  );
  return `t=${time}&s=${Buffer.from(signature).toString('hex')}`;
}

/** JSON with sorted keys and no spaces (RFC 8785). */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`;
}
