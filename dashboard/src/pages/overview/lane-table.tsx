import { Age } from '../../components/age.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import type { LaneRow } from '../../data/rows.ts';
import { formatCount } from '../../format/numbers.ts';
import { JobsLink } from '../../components/jobs-link.tsx';

const runsIn: Record<LaneRow['lane'], string> = {
  inline: 'in the Inngest request',
  edge: 'process-job on Supabase',
  worker: 'the always-on process',
};

const columns: Column<LaneRow>[] = [
  {
    header: 'Lane',
    cell: ({ lane }) => (
      <>
        <JobsLink filter={{ lane }}>{lane}</JobsLink>
        <div style={{ color: 'var(--mantine-color-dimmed)' }}>{runsIn[lane]}</div>
      </>
    ),
  },
  { header: 'Queued', isNumber: true, cell: ({ queued }) => formatCount(queued) },
  { header: 'Due', isNumber: true, cell: ({ due }) => formatCount(due) },
  { header: 'Processing', isNumber: true, cell: ({ processing }) => formatCount(processing) },
  { header: 'Oldest due', isNumber: true, cell: ({ oldest_due_at }) => <Age at={oldest_due_at} /> },
  { header: 'Always-on workers', isNumber: true, cell: ({ workers }) => formatCount(workers) },
];

export function LaneTable({ rows }: { rows: LaneRow[] }) {
  return <DataTable label="Jobs by lane" columns={columns} rows={rows} rowKey={({ lane }) => lane} />;
}
