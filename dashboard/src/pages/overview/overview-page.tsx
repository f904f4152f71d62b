import { Button, Stack } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Answered } from '../../components/answered.tsx';
import { Empty, Loading } from '../../components/answers.tsx';
import { ErrorBoundary } from '../../components/error-boundary.tsx';
import { PageHeading } from '../../components/page-heading.tsx';
import { Section } from '../../components/section.tsx';
import { useLive } from '../../data/use-live.ts';
import { href } from '../../location/route.ts';
import { LaneTable } from './lane-table.tsx';
import { Tiles } from './tiles.tsx';
import { TypeTable } from './type-table.tsx';

const Throughput = lazy(() => import('./throughput.tsx'));

/** The state of the queue at a glance. */
export function OverviewPage({ search }: { search: URLSearchParams }) {
  const query = useLive(['overview'], (operator) => operator.overview());
  return (
    <>
      <PageHeading title="Overview">
        <Button component="a" href={href(['enqueue'])} size="xs">
          Enqueue a job
        </Button>
      </PageHeading>
      <Answered query={query}>
        {({ totals, lanes, types }) => (
          <Stack gap="lg">
            <Tiles totals={totals} />
            <ErrorBoundary>
              <Suspense fallback={<Loading lines={5} />}>
                <Throughput minutes={search.get('minutes')} />
              </Suspense>
            </ErrorBoundary>
            <Section title="By lane">
              <LaneTable rows={lanes} />
            </Section>
            <Section title="By type, last 7 days">
              {types.length > 0 ? (
                <TypeTable rows={types} />
              ) : (
                <Empty title="No job has been enqueued yet">
                  Send an event to the Inngest endpoint, call enqueue_background_jobs, or press “Enqueue a
                  job”.
                </Empty>
              )}
            </Section>
          </Stack>
        )}
      </Answered>
    </>
  );
}
