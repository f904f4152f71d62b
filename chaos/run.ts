import { parseArgs } from 'node:util';
import { showProgress } from '../bench/progress.ts';
import { runMatrix } from './matrix.ts';
import { writePage } from './report/page.ts';
import { isViolated, resultTable, summary } from './report/table.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults.ts';

/**
 * `npm run chaos [-- --quick] [--seed n] [--only fault,fault] [--verbose]`: strikes with every fault while jobs flow, and
 * compares what happened with what was promised. Exit codes: 0 every promise was kept, 1 one was broken, 2 wrong use.
 * `--write` puts the results into docs/reliability.md.
 */
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const seed = Number(flags.seed);
const only = flags.only?.split(',');
const unknown = only?.filter((name) => !faults.some((fault) => fault.name === name)) ?? [];

if (unknown.length > 0 || !Number.isInteger(seed) || seed < 0) {
  const known = faults.map(({ name }) => name).join(', ');
  if (unknown.length > 0) console.error(`--only: expected faults of ${known}, got ${unknown.join(', ')}`);
  else console.error(`--seed: expected a whole number from 0, got ${flags.seed}`);
  process.exit(2);
}

const results = await runMatrix({
  faults: only ? faults.filter(({ name }) => only.includes(name)).map(atLeastOnce) : faults,
  quick: flags.quick,
  seed,
  progress: showProgress,
  log: (line) => void (flags.verbose && console.error(line)),
});
console.log(resultTable(results));
console.log(summary(results, seed));
if (flags.write) console.log(`written: ${await writePage(results, seed)}`);
process.exit(results.some(isViolated) ? 1 : 0);

/** A fault that is named strikes in a quick run, too. */
function atLeastOnce(fault: Fault): Fault {
  return { ...fault, strikes: { ...fault.strikes, quick: Math.max(1, fault.strikes.quick) } };
}
