const cells = 20;

/**
 * A line on stderr: time, bar, what is being measured. On a terminal it is written over, elsewhere lines follow.
 * @param done - from 0 to 1. Default: not known
 */
export function showProgress(what: string, done?: number): void {
  const filled = Math.round((done ?? 0) * cells);
  const bar = done === undefined ? '' : `[${'#'.repeat(filled)}${'.'.repeat(cells - filled)}] `;
  const line = `${new Date().toISOString().slice(11, 19)} ${bar}${what}`;
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}${done === 1 ? '\n' : ''}`);
  else process.stderr.write(`${line}\n`);
}
