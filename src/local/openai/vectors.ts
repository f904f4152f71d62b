import { hash32 } from '../stand-in/random.ts';

/** Dimensions of the models that the stand-in knows, when nobody asks for fewer. */
export const dimensionsOf: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 1536,
  'text-embedding-3-large': 3072,
  'text-embedding-ada-002': 1536,
};

/**
 * A vector of length 1 that depends on nothing but the text: each word adds to a few of its dimensions, so that texts of
 * the same words are near each other.
 */
export function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
    let hash = hash32(word);
    for (let n = 0; n < 4; n += 1) {
      const index = hash % dimensions;
      vector[index] = (vector[index] ?? 0) + (hash & 0x10000 ? 1 : -1);
      hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
    }
  }
  const length = Math.hypot(...vector);
  if (length === 0) vector[0] = 1;
  else vector.forEach((number, index) => (vector[index] = number / length));
  return vector;
}

/** Little-endian float32 in base64, as `encoding_format: "base64"` asks for. */
export function toBase64({ buffer }: Float32Array): string {
  return Buffer.from(buffer).toString('base64');
}
