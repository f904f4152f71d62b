import { readFileSync } from 'node:fs';

/** What a code block of a symptom is for: to see it, to look further, to end it. */
export type Role = 'see' | 'look' | 'end';

export interface Block {
  language: string;
  code: string;
  role: Role;
}

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

/** The page's text. */
export const runbook = page;

/** The code blocks that can be run, by the heading above them. */
export const blocksByHeading = readBlocks();

function readBlocks(): Map<string, Block[]> {
  const found = new Map<string, Block[]>();
  let heading = '';
  let role: Role = 'look';
  for (const part of page.split(/^(```\w+\n[^]*?^```)$/m)) {
    const [, language, code] = /^```(\w+)\n([^]*)```$/.exec(part) ?? [];
    if (language === undefined || code === undefined) {
      for (const line of part.split('\n')) {
        const title = /^#+ (.*)/.exec(line)?.[1];
        if (title !== undefined) [heading, role] = [title, 'look'];
        if (line.startsWith('See:')) role = 'see';
        if (line.startsWith('It means:')) role = 'look';
        if (line.startsWith('End:')) role = 'end';
      }
    } else if (language !== 'text') {
      found.set(heading, [...(found.get(heading) ?? []), { language, code, role }]);
    }
  }
  return found;
}
