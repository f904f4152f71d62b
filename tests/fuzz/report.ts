import { inspect } from 'node:util';
import fc from 'fast-check';

const longest = 4_000;

/** What failed, the smallest case that fails, and how to see it again; null when nothing failed. */
export function describeFailure(name: string, details: fc.RunDetails<[unknown]>): string | null {
  if (!details.failed) return null;
  const { seed, counterexamplePath, counterexample, errorInstance, numRuns } = details;
  return [
    `${name} failed at case ${numRuns}: ${shorten(inspect(errorInstance))}`,
    `smallest case: ${shorten(fc.stringify(counterexample?.[0]))}`,
    `again: npm run fuzz -- --target ${name} --seed=${seed} --path ${counterexamplePath ?? ''}`,
  ].join('\n');
}

function shorten(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
}
