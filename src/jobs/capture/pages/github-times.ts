/** The earlier of the times, as GitHub writes them: in UTC and whole seconds. */
export function earlierOf(...times: string[]): string {
  const earliest = Math.min(...times.map((time) => Date.parse(time)));
  return new Date(earliest).toISOString().replace(/\.\d+/, '');
}

/**
 * How far a capture may claim to know GitHub: to a minute before its look into the database. Two clocks differ, and
 * GitHub may show a change later than one that was made after it.
 */
export function markBefore(asOf: string): string {
  return earlierOf(new Date(Date.parse(asOf) - 60_000).toISOString());
}
