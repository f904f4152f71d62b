import type { Page } from './pages.ts';

/** The body rows of a page's tables, by the names of their columns; without the backquotes of whole cells. */
export function tableRows({ prose }: Page): Record<string, string>[] {
  const rows: Record<string, string>[] = [];
  let columns: string[] | undefined;
  for (const { text } of prose) {
    if (!text.startsWith('|')) columns = undefined;
    else if (columns === undefined) columns = cellsOf(text);
    else if (!/^\|[ -]+\|/.test(text)) {
      const cells = cellsOf(text);
      rows.push(Object.fromEntries(columns.map((column, n) => [column, cells[n] ?? ''])));
    }
  }
  return rows;
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'));
}
