import { Button, Stack } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Empty, Failure, Loading } from '../../components/answers.tsx';
import { DataTable, type Column } from '../../components/data-table.tsx';
import { PageHeading } from '../../components/page-heading.tsx';
import { useOperator } from '../../data/operator-context.ts';
import { AUDIT_PER_PAGE } from '../../data/operator.ts';
import type { AuditRow } from '../../data/rows.ts';
import { formatTime } from '../../format/times.ts';
import { Arguments } from './arguments.tsx';

const columns: Column<AuditRow>[] = [
  { header: 'When', cell: ({ at }) => <time dateTime={at}>{formatTime(at)}</time> },
  { header: 'Who', sortBy: nameOf, cell: nameOf },
  { header: 'Action', sortBy: ({ action }) => action, cell: ({ action }) => action.replace(/_/g, ' ') },
  { header: 'Arguments', cell: (row) => <Arguments value={row.arguments} /> },
  { header: 'Result', cell: ({ result }) => <code>{result === null ? '–' : JSON.stringify(result)}</code> },
];

/** Who did what, the latest first. */
export default function AuditPage() {
  const operator = useOperator();
  const trail = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) => operator.audit(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.length < AUDIT_PER_PAGE ? undefined : page.at(-1)?.id),
  });
  const rows = trail.data?.pages.flat() ?? [];
  return (
    <>
      <PageHeading title="Audit trail" />
      <Stack gap="sm">
        {trail.isLoading && <Loading />}
        {trail.error && <Failure error={trail.error} onRetry={() => void trail.refetch()} />}
        {rows.length > 0 && (
          <DataTable label="Audit trail" columns={columns} rows={rows} rowKey={({ id }) => id} />
        )}
        {trail.isSuccess && rows.length === 0 && (
          <Empty title="No operator has done anything yet">
            Every retry, cancel, pause, move and enqueue of an operator is noted here.
          </Empty>
        )}
        {trail.hasNextPage && (
          <Button
            variant="default"
            loading={trail.isFetchingNextPage}
            onClick={() => void trail.fetchNextPage()}
          >
            Older actions
          </Button>
        )}
      </Stack>
    </>
  );
}

function nameOf({ email, actor }: AuditRow): string {
  return email ?? actor;
}
