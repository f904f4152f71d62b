import { Progress } from '@mantine/core';
import { Age } from '../../components/age.tsx';
import { Answered } from '../../components/answered.tsx';
import { Empty } from '../../components/answers.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { PageHeading } from '../../components/page-heading.tsx';
import type { QuotaRow } from '../../data/rows.ts';
import { useLive } from '../../data/use-live.ts';
import { formatCount } from '../../format/numbers.ts';

const columns: Column<QuotaRow>[] = [
  { header: 'Quota', sortBy: ({ quota }) => quota, cell: ({ quota }) => quota },
  { header: 'Token', cell: ({ token }) => <code>{token}</code> },
  { header: 'Left', sortBy: shareLeft, cell: (row) => <Left row={row} /> },
  { header: 'Resets', cell: ({ resets_at }) => <Age at={resets_at} /> },
  {
    header: 'State',
    cell: ({ exhausted, blocked_until }) =>
      exhausted || blocked_until ? (
        <span style={{ color: 'var(--jm-warning)' }}>
          {exhausted ? 'used up' : 'blocked'}
          {blocked_until && (
            <>
              , again <Age at={blocked_until} />
            </>
          )}
        </span>
      ) : (
        'available'
      ),
  },
  {
    header: 'Jobs waiting',
    isNumber: true,
    sortBy: ({ waiting }) => waiting,
    cell: ({ waiting }) => formatCount(waiting),
  },
  { header: 'Reported', cell: ({ reported_at }) => <Age at={reported_at} /> },
];

/** What the APIs outside still allow, as their answers reported it. */
export default function QuotasPage() {
  const query = useLive(['quotas'], (operator) => operator.quotas());
  return (
    <>
      <PageHeading title="Quotas" />
      <Answered query={query}>
        {(rows) =>
          rows.length > 0 ? (
            <DataTable
              label="Quotas"
              columns={columns}
              rows={rows}
              rowKey={({ quota, token }) => `${quota} ${token}`}
            />
          ) : (
            <Empty title="No quota has been reported yet">
              Each answer of GitHub and OpenAI reports what is left; run a job that asks them.
            </Empty>
          )
        }
      </Answered>
    </>
  );
}

function shareLeft({ remaining, allowance }: QuotaRow): number | null {
  return remaining === null || !allowance ? null : remaining / allowance;
}

function Left({ row }: { row: QuotaRow }) {
  const share = shareLeft(row);
  return (
    <div style={{ minWidth: 150 }}>
      {`${formatCount(row.remaining)} of ${formatCount(row.allowance)}`}
      {share !== null && (
        <Progress
          value={share * 100}
          size="xs"
          mt={4}
          color={share < 0.1 ? 'red' : undefined}
          aria-label={`Left of ${row.quota}`}
        />
      )}
    </div>
  );
}
