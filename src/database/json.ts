/**
 * JSON as both drivers send it: a bigint as its digits, in quotes.
 *
 * @throws {TypeError} when JSON cannot hold the value (a circle)
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // A bigint, or a circle, which is refused again. Calling the replacer for each part takes several times as long.
    return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
  }
}
