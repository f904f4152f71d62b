import { parseArgs } from 'node:util';
import { createShutdown } from '../src/local/shutdown.ts';
import { showProgress } from '../bench/progress.ts';
import { runMatrix } from './matrix.ts';
import { writePage } from './report/page.ts';
import { isViolated, resultTable, summary } from './report/table.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults.ts';

/**
 * `npm run chaos [-- --quick] [--seed n] [--only fault,fault] [--most n] [--verbose]`: strikes with every fault while jobs flow,
 * and compares what happened with what was promised. Exit codes: 0 every promise was kept, 1 one was broken, 2 wrong use.
 * `--write` puts the results into docs/reliability.md.
 */
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    most: { type: 'string', default: '1000' },
    verbose: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const seed = Number(flags.seed);
const most = Number(flags.most);
const only = flags.only?.split(',');
const unknown = only?.filter((name) => !faults.some((fault) => fault.name === name)) ?? [];

if (unknown.length > 0 || !Number.isInteger(seed) || seed < 0) {
  const known = faults.map(({ name }) => name).join(', ');
  if (unknown.length > 0) console.error(`--only: expected faults of ${known}, got ${unknown.join(', ')}`);
  else console.error(`--seed: expected a whole number from 0, got ${flags.seed}`);
  process.exit(2);
}
if (!Number.isInteger(most) || most < 1) {
  console.error(`--most: expected a number of strikes from 1, got ${flags.most}`);
  process.exit(2);
}

const shutdown = createShutdown();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void shutdown.run().finally(() => process.exit(130)));
const results = await runMatrix({
  faults: only ? faults.filter(({ name }) => only.includes(name)).map(atLeastOnce) : faults,
  quick: flags.quick,
  most,
  seed,
  progress: showProgress,
  log: (line) => void (flags.verbose && console.error(line)),
  shutdown,
}).finally(() => shutdown.run());
console.log(resultTable(results));
console.log(summary(results, seed));
if (flags.write) console.log(`written: ${await writePage(results, summary(results, seed), command())}`);
process.exit(results.some(isViolated) ? 1 : 0);

/** A fault that is named strikes in a quick run, too. */
function atLeastOnce(fault: Fault): Fault {
  return { ...fault, strikes: { ...fault.strikes, quick: Math.max(1, fault.strikes.quick) } };
}

/** As somebody else would have to type it for the same strikes. */
function command(): string {
  const given = Object.entries({ quick: flags.quick, seed: flags.seed, only: flags.only, most: flags.most });
  const words = given.flatMap(([name, value]) => {
    if (value === undefined || value === false || (name === 'most' && value === '1000')) return [];
    return value === true ? [`--${name}`] : [`--${name} ${value}`];
  });
  return `npm run chaos -- ${words.join(' ')}`;
}
