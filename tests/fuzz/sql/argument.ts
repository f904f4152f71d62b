import fc from 'fast-check';
import { jsonTree, type JsonValue } from '../values/json-tree.ts';
import { spoiled } from '../values/spoiled.ts';
import { hostileText } from '../values/text.ts';
import type { OpenFunction } from './open-functions.ts';

/** What is in the database, so that some calls find something. */
export interface Known {
  uuids: readonly string[];
  texts: readonly string[];
  numbers: readonly number[];
}

type Argument = OpenFunction['arguments'][number];

const times = [
  '2026-11-22T12:00:00Z',
  '1970-01-01T00:00:00Z',
  '4713-01-01 00:00:00 BC',
  '294276-12-31T23:59:59Z',
  'infinity',
  '-infinity',
  'now',
  'tomorrow',
];
const dates = ['2026-11-22', 'infinity', '-infinity', '4713-01-01 BC', '5874897-12-31', 'today'];
const intervals = [
  '0',
  '1 second',
  '7 days',
  '-1 day',
  '1 month',
  '178000000 years',
  '-178000000 years',
  '100000 days',
];
const integers = [0, 1, -1, 100, 10_000, 10_001, 86_400, 86_401, 2 ** 31 - 1, -(2 ** 31)];

/**
 * Values that Postgres can read as the argument's type, so that whatever it refuses, it refuses inside of the function.
 * @param samples - of JSON that honest callers send
 */
export function argument(
  { type, required }: Argument,
  words: readonly string[],
  known: Known,
  samples: readonly JsonValue[],
): fc.Arbitrary<unknown> {
  const plain = valueOf(type, words, known);
  const tree = plain as fc.Arbitrary<JsonValue>;
  const value =
    samples.length === 0 ? plain : fc.oneof(plain, ...samples.map((sample) => spoiled(sample, tree)));
  // `undefined` leaves the argument to its default.
  const absent = required ? [] : [{ weight: 3, arbitrary: fc.constant(undefined) }];
  return fc.oneof({ weight: 16, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) }, ...absent);
}

function valueOf(type: string, words: readonly string[], known: Known): fc.Arbitrary<unknown> {
  const text = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known.texts) },
    { weight: 2, arbitrary: fc.constantFrom(...known.uuids) },
    { weight: 1, arbitrary: fc.constantFrom(...times, ...dates) },
    { weight: 4, arbitrary: hostileText },
  );
  const word = fc.constantFrom(...(words.length > 0 ? words : ['edge']));
  const uuid = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...known.uuids) },
    { weight: 1, arbitrary: fc.uuid() },
  );
  const integer = fc.oneof(fc.constantFrom(...integers), fc.constantFrom(...known.numbers), fc.integer());
  switch (type) {
    case 'text':
      return fc.oneof(text, word);
    case 'uuid':
      return uuid;
    case 'uuid[]':
      return fc.oneof(
        { weight: 6, arbitrary: fc.array(uuid, { maxLength: 5 }) },
        { weight: 1, arbitrary: fc.array(fc.option(uuid), { maxLength: 5 }) },
        { weight: 1, arbitrary: fc.tuple(fc.tuple(uuid), fc.tuple(uuid)) },
      );
    case 'integer':
      return integer;
    case 'bigint':
      return fc.oneof(integer, fc.constantFrom('9223372036854775807', '-9223372036854775808'));
    case 'boolean':
      return fc.boolean();
    case 'timestamp with time zone':
      return fc.constantFrom(...times);
    case 'date':
      return fc.constantFrom(...dates);
    case 'interval':
      return fc.constantFrom(...intervals);
    case 'jsonb':
      return jsonTree({ words, text });
    default:
      throw new Error(`expected an argument type that the fuzzer knows, got ${type}: add it here`);
  }
}
