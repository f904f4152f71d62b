import { Answered } from '../../components/answered.tsx';
import { Empty } from '../../components/answers.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { JobsLink } from '../../components/jobs-link.tsx';
import { PageHeading } from '../../components/page-heading.tsx';
import type { JobTypeRow } from '../../data/rows.ts';
import { useLive } from '../../data/use-live.ts';
import { formatDuration } from '../../format/numbers.ts';
import { TypeActions } from './type-actions.tsx';

const columns: Column<JobTypeRow>[] = [
  {
    header: 'Type',
    sortBy: ({ type }) => type,
    cell: ({ type, title }) => (
      <>
        <JobsLink filter={{ type }}>{type}</JobsLink>
        {title && <div style={{ color: 'var(--mantine-color-dimmed)' }}>{title}</div>}
      </>
    ),
  },
  { header: 'Lane', sortBy: (row) => row.effective_lane, cell: laneOf },
  {
    header: 'State',
    sortBy: ({ paused }) => (paused ? 'paused' : 'runs'),
    cell: ({ paused }) => (paused ? <span style={{ color: 'var(--jm-warning)' }}>paused</span> : 'runs'),
  },
  {
    header: 'Time-out',
    isNumber: true,
    sortBy: (row) => row.timeout_seconds,
    cell: (row) => formatDuration(row.timeout_seconds * 1000),
  },
  { header: 'Retries', isNumber: true, sortBy: (row) => row.max_retries, cell: (row) => row.max_retries },
  { header: 'Actions', cell: (row) => <TypeActions row={row} /> },
];

/** Every job type, and what can be changed about it without a deploy. */
export default function TypesPage() {
  const query = useLive(['job-types'], (operator) => operator.jobTypes());
  return (
    <>
      <PageHeading title="Types" />
      <Answered query={query}>
        {(rows) =>
          rows.length > 0 ? (
            <DataTable label="Job types" columns={columns} rows={rows} rowKey={({ type }) => type} />
          ) : (
            <Empty title="The database knows no job type">
              Deploy process-job or start the stack: both call sync_job_types.
            </Empty>
          )
        }
      </Answered>
    </>
  );
}

function laneOf({ effective_lane, lane, lane_override }: JobTypeRow): string {
  if (effective_lane === lane) return lane;
  return `${effective_lane}, ${lane_override === null ? 'measured' : 'moved'} (defined: ${lane})`;
}
