import fc from 'fast-check';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

const edgeNumbers = [
  0,
  -0,
  1,
  -1,
  0.5,
  100,
  101,
  10_000,
  10_001,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  1e20,
  1e300,
  -1e300,
];

const hostileNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(...edgeNumbers),
  fc.integer({ min: -5, max: 200 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

export interface TreeOptions {
  /** Most of the keys. */
  words: readonly string[];
  /** Texts, beside the words. */
  text: fc.Arbitrary<string>;
}

/** JSON that talks about `words`, often in the form of an object or of an array of objects, as the callers of a function do. */
export function jsonTree({ words, text }: TreeOptions): fc.Arbitrary<JsonValue> {
  const key = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...(words.length > 0 ? words : ['id'])) },
    { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty', '', 'a\nb') },
    { weight: 1, arbitrary: text },
  );
  const leaf: fc.Arbitrary<JsonValue> = fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 2, arbitrary: fc.constantFrom(...(words.length > 0 ? words : ['id'])) },
    { weight: 4, arbitrary: hostileNumber },
    { weight: 2, arbitrary: fc.constantFrom(null, true, false) },
    { weight: 1, arbitrary: fc.constantFrom<JsonValue>([], {}, [[]], [null], { __proto__: null }) },
  );
  const { tree } = fc.letrec<{ tree: JsonValue; object: JsonValue }>((tie) => ({
    object: fc.dictionary(key, tie('tree'), { maxKeys: 8, noNullPrototype: true }),
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      tie('object'),
      fc.array(tie('object'), { maxLength: 4 }),
      fc.array(tie('tree'), { maxLength: 4 }),
    ),
  }));
  return fc.oneof({ weight: 30, arbitrary: tree }, { weight: 1, arbitrary: deep });
}

/** One value inside of many others. Postgres reads some 6,000 levels before its stack is spent. */
const deep: fc.Arbitrary<JsonValue> = fc
  .tuple(fc.constantFrom(50, 1_000), fc.boolean())
  .map(([levels, asObject]) => {
    let value: JsonValue = 'deep';
    for (let level = 0; level < levels; level += 1) value = asObject ? { a: value } : [value];
    return value;
  });
