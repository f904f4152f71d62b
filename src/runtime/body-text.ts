/**
 * Reads a request's body as UTF-8, and no more of it than the limit, whatever `content-length` says.
 * @returns null when the body is larger than `limitBytes`
 */
export async function readBodyText(request: Request, limitBytes: number): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limitBytes) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
