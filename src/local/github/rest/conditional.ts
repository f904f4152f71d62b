import { createHash } from 'node:crypto';

/**
 * Adds an ETag to a good answer to a GET, and turns it into a 304 when the caller holds the same one.
 * @param ifNoneMatch the request's header
 */
export async function applyETag(response: Response, ifNoneMatch: string | undefined): Promise<Response> {
  const body = await response.text();
  const etag = `W/"${createHash('sha256').update(body).digest('hex')}"`;
  const headers = new Headers(response.headers);
  headers.set('etag', etag);
  headers.set('cache-control', 'private, max-age=60, s-maxage=60');
  const known = (ifNoneMatch ?? '').split(',').map((tag) => tag.trim().replace(/^(?!W\/)/, 'W/'));
  if (!known.includes(etag)) return new Response(body, { status: response.status, headers });
  headers.delete('content-type');
  return new Response(null, { status: 304, headers });
}
