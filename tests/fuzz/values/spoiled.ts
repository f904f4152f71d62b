import fc from 'fast-check';
import type { JsonValue } from './json-tree.ts';

/** A copy of a sample in which one to three values, chosen anywhere in it, are replaced, or taken away. */
export function spoiled(sample: JsonValue, tree: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  const change = fc.record({
    at: fc.nat({ max: 10_000 }),
    value: fc.option(tree, { freq: 8, nil: undefined }),
  });
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) =>
      changes.reduce<JsonValue>(
        (value, { at, value: put }) => replaced(value, at, structuredClone(put)),
        structuredClone(sample),
      ),
    );
}

interface Place {
  holder: JsonValue[] | { [key: string]: JsonValue };
  key: string;
}

function replaced(root: JsonValue, at: number, put: JsonValue | undefined): JsonValue {
  const places = placesIn(root);
  const place = places[at % (places.length + 1)];
  if (!place) return put ?? null;
  const { holder, key } = place;
  if (Array.isArray(holder)) holder.splice(Number(key), 1, ...(put === undefined ? [] : [put]));
  else if (put === undefined) delete holder[key];
  else
    Object.defineProperty(holder, key, { value: put, enumerable: true, configurable: true, writable: true });
  return root;
}

/** In order of depth, so that shrinking `at` leads to the outermost place. */
function placesIn(root: JsonValue): Place[] {
  const places: Place[] = [];
  let level = [root];
  while (level.length > 0 && places.length < 1_000) {
    const below: JsonValue[] = [];
    for (const holder of level) {
      if (typeof holder !== 'object' || holder === null) continue;
      places.push(...Object.keys(holder).map((key) => ({ holder, key })));
      below.push(...Object.values(holder));
    }
    level = below;
  }
  return places;
}
