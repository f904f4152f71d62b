import { Text } from '@mantine/core';
import { DataTable, type Column } from '../../components/data-table.tsx';
import type { JobStatus, TypeRow } from '../../data/rows.ts';
import { formatCount, formatDuration, formatPercent } from '../../format/numbers.ts';
import { JobsLink } from '../../components/jobs-link.tsx';

const columns: Column<TypeRow>[] = [
  {
    header: 'Type',
    sortBy: ({ type }) => type,
    cell: ({ type, paused }) => (
      <>
        <JobsLink filter={{ type }}>{type}</JobsLink>
        {paused && (
          <Text span inherit c="var(--jm-warning)">
            {' '}
            paused
          </Text>
        )}
      </>
    ),
  },
  { header: 'Lane', sortBy: ({ lane }) => lane, cell: ({ lane }) => lane },
  countColumn('Queued', 'queued'),
  countColumn('Processing', 'processing'),
  countColumn('Completed', 'completed'),
  countColumn('Failed', 'failed'),
  {
    header: 'Success',
    isNumber: true,
    sortBy: (row) => row.success_rate,
    cell: (row) => formatPercent(row.success_rate),
  },
  durationColumn('p50 duration', (row) => row.p50_duration_ms),
  durationColumn('p95 duration', (row) => row.p95_duration_ms),
  durationColumn('p50 wait', (row) => row.p50_wait_ms),
  durationColumn('p95 wait', (row) => row.p95_wait_ms),
];

function countColumn(header: string, status: Exclude<JobStatus, 'cancelled'>): Column<TypeRow> {
  return {
    header,
    isNumber: true,
    sortBy: (row) => row[status],
    cell: (row) =>
      row[status] === 0 ? (
        '0'
      ) : (
        <JobsLink filter={{ type: row.type, status }}>{formatCount(row[status])}</JobsLink>
      ),
  };
}

function durationColumn(header: string, value: (row: TypeRow) => number | null): Column<TypeRow> {
  return { header, isNumber: true, sortBy: value, cell: (row) => formatDuration(value(row)) };
}

export function TypeTable({ rows }: { rows: TypeRow[] }) {
  return <DataTable label="Jobs by type" columns={columns} rows={rows} rowKey={({ type }) => type} />;
}
