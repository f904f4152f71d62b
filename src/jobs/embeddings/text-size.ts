import { inputTokens } from './openai-model.ts';

const isAscii = (codePoint: number): boolean => codePoint < 0x80;

/** Bytes in UTF-8. */
function byteLength(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/**
 * Tokens that a text is likely to have: OpenAI's rule of thumb is four characters of English to a token; letters of other
 * scripts take 0.4 tokens a byte. What the estimate is worth shows in the first answer, which counts the tokens.
 */
export function estimateTokens(text: string): number {
  let ascii = 0;
  let others = 0;
  for (const sign of text) {
    const codePoint = sign.codePointAt(0) ?? 0;
    if (isAscii(codePoint)) ascii += 1;
    else others += byteLength(codePoint);
  }
  return Math.ceil(ascii / 4 + others * 0.4);
}

/** A text may have as many tokens as bytes, and never more. */
export function mayBeTooLong(text: string): boolean {
  return new TextEncoder().encode(text).length > inputTokens;
}

/**
 * The beginning of a text that an input has room for, however dense it is: logs and tables have two characters to a token.
 * Texts up to 16,384 characters of English stay whole.
 */
export function cutToFit(text: string): string {
  let tokens = 0;
  let end = 0;
  for (const sign of text) {
    const codePoint = sign.codePointAt(0) ?? 0;
    tokens += isAscii(codePoint) ? 0.5 : (byteLength(codePoint) * 2) / 3;
    if (tokens > inputTokens) return text.slice(0, end);
    end += sign.length;
  }
  return text;
}

/** The first part of a text, without half of a sign at its end. */
export function firstPart(text: string, share: number): string {
  return text.slice(0, Math.floor(text.length * share)).replace(/[\uD800-\uDBFF]$/, '');
}
