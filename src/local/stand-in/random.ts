/** A small deterministic source of randomness; the same parts always give the same sequence. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number between both bounds, inclusive. */
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

/** Seeds a generator from any parts, for example `randomFor(seed, 'pull request', 17)`. */
export function randomFor(...parts: readonly (string | number)[]): Random {
  let state = hash32(parts.join('\u0000'));
  const next = (): number => {
    // One step of mulberry32.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: <Item>(items: readonly Item[]) => {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new RangeError('expected a list with at least one item to pick from');
      return item;
    },
  };
}

/** 32-bit FNV-1a of the text's UTF-16 code units. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** A git object name (40 hex digits) made from any parts. */
export function objectId(...parts: readonly (string | number)[]): string {
  const text = parts.join('/');
  return Array.from({ length: 5 }, (_, index) =>
    hash32(`${index}:${text}`).toString(16).padStart(8, '0'),
  ).join('');
}
