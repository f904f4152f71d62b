import { readCommandLine } from '../command/command-line.ts';
import { root } from '../command/data-dir.ts';
import { scaffoldJob } from '../new/scaffold-job.ts';
import type { Command } from './command.ts';
import { lanes } from './job-rows.ts';
import { type JobsHost, printJson } from './jobs-host.ts';
import { readChoice, readOnly } from './operands.ts';

const help = `Writes the files of a new job kind: its definition with a step, its test, its entry in the catalog and on the page of jobs.

  npm run jobs -- new metrics/stars.count
  npm run jobs -- new reports/weekly.send --lane inline

  --lane text         ${lanes.join(', ')}; default edge. inline: within seconds, inside the Inngest request
  --json              for programs
  --help              this text`;

const options = {
  lane: { type: 'string', default: 'edge' },
  json: { type: 'boolean', default: false },
} as const;

export const scaffold: Command = { summary: 'writes the files of a new job kind', options, run };

async function run(host: JobsHost): Promise<number> {
  const { values, positionals } = readCommandLine(host.args, options, help);
  const type = readOnly(positionals, 'the type of the new job, such as metrics/stars.count', help);
  const { files, test } = await scaffoldJob(root, type, readChoice('--lane', values.lane, lanes));
  if (values.json) printJson(host, { type, files });
  else
    host.print(`Written:
${files.map((file) => `  ${file}`).join('\n')}

Try it:
  npx vitest run ${test}
  npm start                                               (again, when it is running)
  npm run send -- ${type} '{"name":"world"}'`);
  return 0;
}
