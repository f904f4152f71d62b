import fc from 'fast-check';

/** Names that mean something to JavaScript, SQL, a shell, a template, a log or a terminal. */
const loaded = [
  '',
  ' ',
  '\n',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e400',
  '2147483648',
  '9223372036854775808',
  "'; drop table background_jobs; --",
  "' or '1'='1",
  '$$; select pg_sleep(60); $$',
  '%s %L %I %1$s %',
  '\\',
  '\\u0000',
  '{}',
  '[]',
  '"',
  '{"a":',
  '../../etc/passwd',
  '${process.env}',
  '{"level":"error","msg":"forged"}',
  'a\n{"level":"error","msg":"forged"}',
  'a\r\nset-cookie: forged=1',
  '\u001b[2J\u001b]0;forged\u0007',
  '\u2028\u2029',
  '\uFEFF',
  '\uFFFF',
  '👩‍👩‍👧‍👦',
  'İ',
  'ß',
  '\u202Egnp.exe',
  '1.5',
  'true',
  'infinity',
  '2026-02-30T00:00:00Z',
  '294277-01-01T00:00:00Z',
  '0001-01-01',
  '00000000-0000-0000-0000-000000000000',
  '{00000000-0000-0000-0000-000000000000}',
  'https://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
] as const;

const long = fc
  .tuple(fc.constantFrom('a', 'é', '𝕏', '[', "'", '\\', ' '), fc.constantFrom(1_001, 10_001, 200_001))
  .map(([char, length]) => char.repeat(length));

/** Text that Postgres can hold. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...loaded) },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map(holdable) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).map(holdable) },
  { weight: 1, arbitrary: long },
);

/** The same, and U+0000 and lone surrogates, which neither `text` nor `jsonb` can hold. */
export const unholdableText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  { weight: 1, arbitrary: fc.constantFrom('\u0000', 'a\u0000b', '\uD800', 'a\uDC00', '\uDFFF\uD800') },
);

function holdable(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}
