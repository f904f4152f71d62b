/**
 * JSON as both drivers send it: a bigint as its digits, in quotes.
 *
 * @throws {TypeError} when JSON cannot hold the value (a circle)
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
