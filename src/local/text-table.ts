import Table from 'cli-table3';

/** Rows as a framed table for terminals, null as an empty cell. */
export function textTable(head: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push(row.map((cell) => cell ?? ''));
  return table.toString();
}
