import { parseArgs } from 'node:util';
import { showProgress } from '../bench/progress.ts';
import { faults } from './faults.ts';
import { resultTable } from './report/table.ts';
import { startSystem } from './system/system.ts';
import { tryFault, type TrialResult } from './trial.ts';

/** `npm run chaos [-- --quick] [--seed n] [--only fault,fault] [--verbose]` */
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

/** Of the product, so that a run of the matrix takes minutes: a crash is found after a lease. */
const settings = { WORKER_LEASE_SECONDS: '3', EDGE_LEASE_SECONDS: '3' };

const results: TrialResult[] = [];
const system = await startSystem({
  settings,
  log: (line) => void (flags.verbose && console.error(line)),
});
try {
  for (const fault of faults) {
    const strikes = flags.quick ? fault.strikes.quick : fault.strikes.full;
    if (strikes === 0 || (flags.only !== undefined && !flags.only.split(',').includes(fault.name))) continue;
    results.push(
      await tryFault(system, fault, {
        strikes,
        seed: Number(flags.seed),
        progress: (what, done) => showProgress(`${fault.name}: ${what}`, done),
      }),
    );
  }
} finally {
  await system.close();
}
console.log(resultTable(results));
