import { parseArgs } from 'node:util';
import { writeReport } from './report/report.ts';
import { sections } from './sections.ts';
import { startSection } from './start-section.ts';

/**
 * `npm run bench [-- section …] [--quick]`: all sections, or those that are named, one after the other.
 * `npm run bench -- report`: writes docs/performance.md from the newest results.
 */

const { values: flags, positionals: names } = parseArgs({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const known = sections.map(({ name }) => name);
const unknown = names.filter((name) => !known.includes(name));

if (names.length === 1 && names[0] === 'report') console.log(`written: ${(await writeReport()).join(', ')}`);
else if (unknown.length > 0) {
  console.error(`Expected sections of ${known.join(', ')}, or report alone, got ${unknown.join(', ')}`);
  process.exitCode = 2;
} else await runSections(known.filter((name) => names.length === 0 || names.includes(name)));

/** One that fails does not keep the others from being measured. */
async function runSections(wanted: readonly string[]): Promise<void> {
  const failed: string[] = [];
  for (const [index, name] of wanted.entries()) {
    console.log(`\nsection ${index + 1} of ${wanted.length}: ${name}`);
    if (!(await startSection(name, flags.quick))) failed.push(name);
  }
  if (failed.length === 0) return;
  console.error(`\nNot measured, see above: ${failed.join(', ')}`);
  process.exitCode = 1;
}
