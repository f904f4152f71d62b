/** Eight kilobytes of a vector at once: more would not fit into the arguments of one call. */
const chunkBytes = 8_192;

/** A vector as base64 of little-endian float32; servers that do not know that encoding answer with numbers. */
export function toVectorText(embedding: string | readonly number[]): string {
  if (typeof embedding === 'string') return embedding;
  const bytes = new DataView(new ArrayBuffer(embedding.length * 4));
  embedding.forEach((number, index) => bytes.setFloat32(index * 4, number, true));
  const all = new Uint8Array(bytes.buffer);
  let text = '';
  for (let start = 0; start < all.length; start += chunkBytes)
    text += String.fromCharCode(...all.subarray(start, start + chunkBytes));
  return btoa(text);
}
