import { Anchor } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Empty, Loading } from '../components/answers.tsx';
import { ErrorBoundary } from '../components/error-boundary.tsx';
import { href, type Route } from '../location/route.ts';
import { OverviewPage } from './overview/overview-page.tsx';

const JobsPage = lazy(() => import('./jobs/jobs-page.tsx'));
const JobPage = lazy(() => import('./job/job-page.tsx'));
const TypesPage = lazy(() => import('./types/types-page.tsx'));
const SchedulesPage = lazy(() => import('./schedules/schedules-page.tsx'));
const QuotasPage = lazy(() => import('./quotas/quotas-page.tsx'));
const AuditPage = lazy(() => import('./audit/audit-page.tsx'));
const EnqueuePage = lazy(() => import('./enqueue/enqueue-page.tsx'));

/** The page that the route names. All but the first one are loaded when they are asked for. */
export function Page({ route }: { route: Route }) {
  return (
    <ErrorBoundary key={route.path.join('/')}>
      <Suspense fallback={<Loading />}>{pageOf(route)}</Suspense>
    </ErrorBoundary>
  );
}

function pageOf({ path: [first, second], search }: Route) {
  switch (first) {
    case undefined:
      return <OverviewPage search={search} />;
    case 'jobs':
      return second === undefined ? <JobsPage search={search} /> : <JobPage key={second} id={second} />;
    case 'types':
      return <TypesPage />;
    case 'schedules':
      return <SchedulesPage />;
    case 'quotas':
      return <QuotasPage />;
    case 'audit':
      return <AuditPage />;
    case 'enqueue':
      return <EnqueuePage search={search} />;
    default:
      return (
        <Empty isPage title={`There is no page “${first}”`}>
          <Anchor href={href([])}>Go to the overview</Anchor>
        </Empty>
      );
  }
}
