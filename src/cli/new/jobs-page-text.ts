import type { Lane } from '../../jobs/define-job.ts';

interface PageRow {
  type: string;
  functionId: string;
  lane: Lane;
}

const heading = '## Your own';
const head = `| type | aliases | function id | lane | what it does |\n| --- | --- | --- | --- | --- |`;

/** The page of jobs with one row more, at the end of the section for jobs made by `npm run jobs -- new`. */
export function withRow(page: string, { type, functionId, lane }: PageRow): string {
  const row = `| \`${type}\` | – | ${functionId} | ${lane} | Greets whom its payload names. |`;
  const section = page.indexOf(`\n${heading}\n`);
  if (section === -1) return `${page.trimEnd()}\n\n${heading}\n\n${head}\n${row}\n`;
  const next = page.indexOf('\n## ', section + heading.length);
  const end = next === -1 ? page.length : next;
  return `${page.slice(0, end).trimEnd()}\n${row}\n${page.slice(end)}`;
}
