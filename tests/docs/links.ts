import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { root } from '../support/imports.ts';
import type { Page } from './pages.ts';

export interface Link {
  /** `docs/jobs.md:12`. */
  where: string;
  target: string;
}

/** The links and pictures of a page that lead to files of this repository. */
export function localLinks({ path, prose }: Page): Link[] {
  return prose.flatMap(({ line, text }) =>
    [...withoutSpans(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => ({ where: `${path}:${line}`, target }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  );
}

/** @returns what is wrong with the link, null where nothing is */
export function problemOf({ where, target }: Link): string | null {
  const page = where.slice(0, where.lastIndexOf(':'));
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page : normalize(join(dirname(page), file));
  if (!existsSync(join(root, path))) return `${where}: ${target} leads to no file`;
  if (anchor === undefined || anchorsOf(path).has(anchor)) return null;
  return `${where}: ${path} has no heading #${anchor}`;
}

/** As GitHub makes them of headings: small letters, no punctuation, dashes for spaces. */
function anchorsOf(path: string): Set<string> {
  const text = readFileSync(join(root, path), 'utf8').replace(/^ *```[^]*?^ *```$/gm, '');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

const withoutSpans = (text: string): string =>
  text.replace(/(`+)(.+?)\1/g, (span) => ' '.repeat(span.length));
