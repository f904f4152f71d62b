/** What one call may carry. */
export interface PortionLimits {
  items: number;
  /** Of their JSON. */
  bytes: number;
}

/** Divides what waits for a call into portions that each keep the limits, in order. An item that is too large for them is a portion. */
export function inPortions<Item extends { readonly bytes: number }>(
  waiting: readonly Item[],
  limits: PortionLimits,
): Item[][] {
  const portions: Item[][] = [];
  let portion: Item[] = [];
  let bytes = Infinity;
  for (const one of waiting) {
    bytes += one.bytes;
    if (portion.length === limits.items || bytes > limits.bytes) {
      portion = [];
      portions.push(portion);
      bytes = one.bytes;
    }
    portion.push(one);
  }
  return portions;
}
