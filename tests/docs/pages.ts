import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/imports.ts';

/** A fenced block of a page. */
export interface Block {
  /** `docs/jobs.md:12`: the line of the fence. */
  where: string;
  page: string;
  /** Empty where the fence names none. */
  language: string;
  /** Without the indentation of a list that the block stands in. */
  code: string;
}

/** Text between single backquotes. */
export interface Span {
  where: string;
  page: string;
  text: string;
}

export interface Page {
  /** From the repository's root. */
  path: string;
  text: string;
  blocks: Block[];
  /** The lines outside of the blocks, numbered from 1. */
  prose: { line: number; text: string }[];
}

const fence = /^( *)```(\S*)/;

/** Every page that is written for readers: the README, `docs/`, and what GitHub looks for beside them. */
export const pages: Page[] = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...markdownOf('docs')].map(
  readPage,
);

/** @param path - from the repository's root */
export function pageAt(path: string): Page {
  const page = pages.find((each) => each.path === path);
  if (!page) throw new Error(`expected a page at ${path}`);
  return page;
}

export const blocks: Block[] = pages.flatMap((page) => page.blocks);

/** The commands, names and paths that stand in sentences and tables. */
export const spans: Span[] = pages.flatMap(spansOf);

export function blocksIn(language: string): Block[] {
  return blocks.filter((block) => block.language === language);
}

function markdownOf(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file))
    .sort();
}

function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8');
  const page: Page = { path, text, blocks: [], prose: [] };
  let open: { block: Block; indent: string } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [isFence, indent = '', language = ''] = fence.exec(line) ?? [];
    if (open && isFence !== undefined) {
      page.blocks.push(open.block);
      open = undefined;
    } else if (open) {
      open.block.code += `${line.startsWith(open.indent) ? line.slice(open.indent.length) : line}\n`;
    } else if (isFence !== undefined) {
      open = { block: { where: `${path}:${index + 1}`, page: path, language, code: '' }, indent };
    } else {
      page.prose.push({ line: index + 1, text: line });
    }
  }
  if (open) throw new Error(`${open.block.where}: the block has no end`);
  return page;
}

/** A span may go over the end of a line, not over the end of a paragraph. */
function spansOf({ path, text }: Page): Span[] {
  const prose = text.replace(/^ *```[^]*?^ *```$/gm, (block) => block.replace(/[^\n]/g, ''));
  return [...prose.matchAll(/(`+)((?:(?!\n\n)[^])+?)\1(?!`)/g)].map(({ index, 2: span = '' }) => ({
    where: `${path}:${prose.slice(0, index).split('\n').length}`,
    page: path,
    text: span.replace(/\s*\n\s*/g, ' ').trim(),
  }));
}
