import type { Round } from './comparison.ts';
import type { Bench } from './section.ts';

/**
 * Measures each of the entrants once per round, in turns: the order is reversed from round to round, since each finds
 * the machine as the one before left it.
 * @returns the rounds by name
 */
export async function alternate<Entrant>(
  bench: Bench,
  rounds: number,
  entrants: ReadonlyMap<string, Entrant>,
  measure: (entrant: Entrant, name: string) => Promise<Round>,
): Promise<Record<string, Round[]>> {
  const results = Object.fromEntries([...entrants.keys()].map((name): [string, Round[]] => [name, []]));
  let done = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const inOrder = [...entrants];
    for (const [name, entrant] of round % 2 === 1 ? inOrder : inOrder.toReversed()) {
      bench.progress(`round ${round} of ${rounds}, ${name}`, done / (rounds * entrants.size));
      results[name]?.push(await measure(entrant, name));
      done += 1;
    }
  }
  bench.progress('done', 1);
  return results;
}
