import { Answered } from '../../components/answered.tsx';
import { Empty } from '../../components/answers.tsx';
import { Age } from '../../components/age.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { JobsLink } from '../../components/jobs-link.tsx';
import { PageHeading } from '../../components/page-heading.tsx';
import type { ScheduleRow } from '../../data/rows.ts';
import { useLive } from '../../data/use-live.ts';
import { ScheduleActions } from './schedule-actions.tsx';
import { SetSchedule } from './set-schedule.tsx';

const columns: Column<ScheduleRow>[] = [
  { header: 'Name', sortBy: ({ name }) => name, cell: ({ name }) => name },
  {
    header: 'Type',
    sortBy: ({ type }) => type,
    cell: ({ type }) => <JobsLink filter={{ type }}>{type}</JobsLink>,
  },
  { header: 'Cron', cell: ({ cron, timezone }) => <code>{`${cron} ${timezone}`}</code> },
  { header: 'State', sortBy: (row) => stateOf(row), cell: (row) => <State row={row} /> },
  { header: 'Evaluated', cell: ({ evaluated_until }) => <Age at={evaluated_until} /> },
  { header: 'From', sortBy: ({ source }) => source, cell: ({ source }) => source },
  { header: 'Actions', cell: (row) => <ScheduleActions row={row} /> },
];

/** What runs by the clock of the always-on process. */
export default function SchedulesPage() {
  const query = useLive(['schedules'], (operator) => operator.schedules());
  return (
    <>
      <PageHeading title="Schedules">
        <SetSchedule />
      </PageHeading>
      <Answered query={query}>
        {(rows) =>
          rows.length > 0 ? (
            <DataTable label="Schedules" columns={columns} rows={rows} rowKey={({ name }) => name} />
          ) : (
            <Empty title="Nothing is scheduled here">
              Where Inngest is the scheduler, its own dashboard shows the crons. Otherwise start the always-on
              process, which takes over the schedules of the job definitions, or add one.
            </Empty>
          )
        }
      </Answered>
    </>
  );
}

function stateOf({ problem, enabled }: ScheduleRow): string {
  return problem !== null ? `problem: ${problem}` : enabled ? 'on' : 'paused';
}

function State({ row }: { row: ScheduleRow }) {
  const colour = row.problem !== null ? 'var(--jm-failed)' : row.enabled ? undefined : 'var(--jm-warning)';
  return <span style={{ color: colour }}>{stateOf(row)}</span>;
}
