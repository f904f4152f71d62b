const secretName =
  /(authorization|cookie|password|passwd|secret|token|api_?key|(secret|service|service_role|signing|event|private|access)_?key)$/i;

const censored = '[redacted]';

/** A key begins where no word goes on; the escapes of JSON, of URLs and of terminals end in a letter or digit. */
const start = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]|%[\dA-Fa-f]{2}|\[[\d;]*m))`;

const tokenPatterns = [
  String.raw`sb_secret_[\w-]+`,
  String.raw`(gh[pousr]_|github_pat_)\w+`,
  String.raw`signkey-\w+-\w+`,
  String.raw`sk-[\w-]{16,}`,
  String.raw`eyJ[\w-]+\.[\w-]+\.[\w-]*`,
  String.raw`[Bb][Ee][Aa][Rr][Ee][Rr](\s|\\[nrt])+[^\s"\\]+`,
].map((pattern) => new RegExp(start + pattern, 'g'));

/** `postgres://user:password@host`: the password alone is hidden, so that the line still says which server. */
const urlPassword = /(:\/\/[^\s:/@"]*):[^\s/@"]+@/g;

/** Hides everything in a finished line that looks like a key or a token, wherever it stands. */
export function redactTokens(line: string): string {
  const hidden = tokenPatterns.reduce((text, pattern) => text.replace(pattern, censored), line);
  return hidden.replace(urlPassword, `$1:${censored}@`);
}

/**
 * A copy of log fields in which every field named like a key is hidden, at any depth, and errors are plain objects
 * (JSON would make them empty). A field deeper than `depth` levels is cut.
 */
export function redactFields(value: unknown, depth = 8): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (depth === 0) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => redactFields(item, depth - 1));
  const entries = value instanceof Error ? errorEntries(value) : Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, field]) => [
      name,
      secretName.test(name) && typeof field === 'string' ? censored : redactFields(field, depth - 1),
    ]),
  );
}

function errorEntries(error: Error): [string, unknown][] {
  const { name, message, stack, cause } = error;
  const own = Object.entries(error);
  return [
    ['name', name],
    ['message', message],
    ['stack', stack],
    ...own,
    ...(cause ? [['cause', cause] as [string, unknown]] : []),
  ];
}
