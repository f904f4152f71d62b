/**
 * Which of the inputs to send together: in their order, each that still has room, so that a large one does not end the
 * request as long as smaller ones come after it. At least the first is chosen, whatever its size.
 *
 * @param tokens - of each input
 * @returns positions of the chosen ones, ascending
 */
export function fillRequest(tokens: readonly number[], limits: { inputs: number; tokens: number }): number[] {
  const chosen: number[] = [];
  let sum = 0;
  for (const [position, count] of tokens.entries()) {
    if (chosen.length >= limits.inputs) break;
    if (chosen.length > 0 && sum + count > limits.tokens) continue;
    chosen.push(position);
    sum += count;
  }
  return chosen;
}
