import { Button, Group, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef } from 'react';
import { Empty, Failure, Loading } from '../../components/answers.tsx';
import type { JobFilter } from '../../data/rows.ts';
import { formatCount } from '../../format/numbers.ts';
import { formatTime } from '../../format/times.ts';
import classes from './job-list.module.css';
import { JobLine, headings } from './job-line.tsx';
import { useJobList, type LiveJobList } from './use-job-list.ts';

/** Pixels of a row; on phones a job takes two lines. */
const ROW_HEIGHT = 37;
const PHONE_ROW_HEIGHT = 62;

/** More jobs are asked for when the reader is this many rows from the end. */
const AHEAD_ROWS = 60;

/** The rows that are in sight, of as many as were loaded; more are loaded as the reader scrolls. */
export function JobList({ filter }: { filter: JobFilter }) {
  const frame = useRef<HTMLDivElement>(null);
  const first = useRef(0);
  const list = useJobList(filter, first.current);
  const isPhone = useMediaQuery('(max-width: 760px)', false, { getInitialValueInEffect: false });
  const rowHeight = isPhone ? PHONE_ROW_HEIGHT : ROW_HEIGHT;
  const { jobs } = list;
  const rows = useVirtualizer({
    count: jobs.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => jobs[index]?.id ?? index,
    overscan: 12,
  });
  useEffect(() => rows.measure(), [rows, rowHeight]);
  const shown = rows.getVirtualItems();
  first.current = rows.range?.startIndex ?? 0;
  const lastShown = shown.at(-1)?.index ?? 0;
  const isNearEnd = lastShown >= jobs.length - AHEAD_ROWS;
  const loadsByItself =
    isNearEnd && list.hasMore && list.searchedTo === null && !list.isLoadingMore && !list.error;
  const { loadMore } = list;
  useEffect(() => {
    if (loadsByItself) loadMore();
  });

  if (list.isLoading) return <Loading lines={12} />;
  const failure = list.error && <Failure error={list.error} onRetry={list.refetch} />;
  if (jobs.length === 0)
    return (
      failure ??
      (list.hasMore ? <SearchOn list={list} /> : <NoJobs isFiltered={Object.keys(filter).length > 0} />)
    );
  return (
    <>
      {failure}
      <div
        ref={frame}
        className={classes.frame}
        role="table"
        aria-label="Jobs"
        aria-rowcount={list.hasMore ? -1 : jobs.length + 1}
        tabIndex={0}
      >
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.row} aria-rowindex={1}>
            {headings.map((heading) => (
              <span key={heading} role="columnheader">
                {heading}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ position: 'relative', height: rows.getTotalSize() }}>
          {shown.map(({ key, index, start, size }) => {
            const job = jobs[index];
            return (
              job && (
                <div
                  key={key}
                  role="row"
                  aria-rowindex={index + 2}
                  className={classes.row}
                  style={{
                    position: 'absolute',
                    insetInline: 0,
                    top: 0,
                    height: size,
                    transform: `translateY(${start}px)`,
                  }}
                >
                  <JobLine job={job} />
                </div>
              )
            );
          })}
        </div>
      </div>
      <Foot list={list} />
    </>
  );
}

function NoJobs({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="No job matches">Loosen the filter, or clear it to see all jobs.</Empty>
  ) : (
    <Empty title="No job has been enqueued yet">
      Send an event to the Inngest endpoint, call enqueue_background_jobs, or press “Enqueue a job”.
    </Empty>
  );
}

function Foot({ list }: { list: LiveJobList }) {
  const { jobs, hasMore, isLoadingMore, searchedTo } = list;
  if (searchedTo !== null) return <SearchOn list={list} />;
  return (
    <Text size="xs" c="dimmed" role="status">
      {formatCount(jobs.length)} jobs{hasMore ? ' loaded, more as you scroll' : ', the end of the list'}
      {isLoadingMore ? ' …' : ''}
    </Text>
  );
}

/** A rare match in millions of rows takes several calls; the reader decides how far back it is worth it. */
function SearchOn({ list: { searchedTo, isLoadingMore, loadMore } }: { list: LiveJobList }) {
  return (
    <Group gap="sm" role="status">
      <Text size="sm">
        {searchedTo ? `Searched back to ${formatTime(searchedTo)}.` : 'Nothing among the newest jobs.'}
      </Text>
      <Button size="xs" variant="default" loading={isLoadingMore} onClick={loadMore}>
        Search on
      </Button>
    </Group>
  );
}
