import { UnstyledButton } from '@mantine/core';
import {
  createSortedRowModel,
  rowSortingFeature,
  sortFn_text,
  tableFeatures,
  useTable,
  type ColumnDef,
} from '@tanstack/react-table';
import { useMemo, type ReactNode } from 'react';
import classes from './data-table.module.css';

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { text: sortFn_text },
});

export interface Column<Row> {
  /** The heading; one of a kind in its table. */
  header: string;
  cell: (row: Row) => ReactNode;
  /** What the column is sorted by; without it, it is not. Rows without a value come last. */
  sortBy?: (row: Row) => string | number | null;
  isNumber?: boolean;
}

const ARIA_SORT = { asc: 'ascending', desc: 'descending' } as const;
const ARROW = { asc: ' ↑', desc: ' ↓' } as const;

/** A table whose headings sort it. On narrow screens it scrolls sideways inside its frame, never the page. */
export function DataTable<Row extends object>({
  label,
  columns,
  rows,
  rowKey,
}: {
  label: string;
  columns: readonly Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
}) {
  const defs = useMemo(() => columns.map(toDef), [columns]);
  const table = useTable({ features, columns: defs, data: rows, getRowId: rowKey });
  return (
    <div className={classes.frame} role="region" aria-label={label} tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            {table.getFlatHeaders().map(({ column }, index) => {
              const sorted = column.getIsSorted();
              const heading = columns[index]?.header;
              return (
                <th
                  key={column.id}
                  scope="col"
                  data-number={columns[index]?.isNumber}
                  aria-sort={sorted ? ARIA_SORT[sorted] : undefined}
                >
                  {column.getCanSort() ? (
                    <UnstyledButton className={classes.sort} onClick={column.getToggleSortingHandler()}>
                      {heading}
                      {sorted ? ARROW[sorted] : ''}
                    </UnstyledButton>
                  ) : (
                    heading
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id}>
              {columns.map(({ header, cell, isNumber }) => (
                <td key={header} data-number={isNumber}>
                  {cell(row.original)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function toDef<Row extends object>({
  header,
  sortBy,
  isNumber,
}: Column<Row>): ColumnDef<typeof features, Row> {
  return {
    id: header,
    accessorFn: (row) => sortBy?.(row) ?? undefined,
    enableSorting: sortBy !== undefined,
    sortUndefined: 'last',
    sortDescFirst: isNumber ?? false,
  };
}
