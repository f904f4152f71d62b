import { Button, Stack } from '@mantine/core';
import { useMemo } from 'react';
import { PageHeading } from '../../components/page-heading.tsx';
import { go, href } from '../../location/route.ts';
import { DeadLetterActions } from './dead-letter-actions.tsx';
import { FilterBar } from './filter-bar.tsx';
import { readFilter, type FilterName } from './filter.ts';
import { JobList } from './job-list.tsx';

/** All jobs, or those of the filter in the address. */
export default function JobsPage({ search }: { search: URLSearchParams }) {
  const key = search.toString();
  const filter = useMemo(() => readFilter(new URLSearchParams(key)), [key]);
  const change = (name: FilterName, value: string | undefined) =>
    go(href(['jobs'], { ...filter, [name]: value }), { replace: true });
  return (
    <>
      <PageHeading title="Jobs">
        {filter.status === 'failed' && <DeadLetterActions type={filter.type ?? null} />}
        <Button component="a" href={href(['enqueue'], { type: filter.type })} size="xs">
          Enqueue a job
        </Button>
      </PageHeading>
      <Stack gap="sm">
        <FilterBar filter={filter} onChange={change} />
        <JobList key={key} filter={filter} />
      </Stack>
    </>
  );
}
