import { Button, Group, Progress, Stack, Text } from '@mantine/core';
import { PageHeading } from '../../components/page-heading.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { useInngestRun } from '../../data/inngest-context.ts';
import type { JobDetails } from '../../data/rows.ts';
import { JobActions } from './job-actions.tsx';
import classes from './job-heading.module.css';

/** What the job is, how far it got, why it is where it is, and what can be done about it. */
export function JobHeading({ details: { job, explain, github } }: { details: JobDetails }) {
  const inngestRun = useInngestRun(job.inngest_run_id);
  return (
    <div>
      <PageHeading title={job.type}>
        {inngestRun && <Outside href={inngestRun}>Inngest run</Outside>}
        {github && <Outside href={github.url}>GitHub</Outside>}
        <JobActions job={job} />
      </PageHeading>
      <div className={classes.state} data-status={job.status}>
        <Stack gap={6}>
          <Group gap="md">
            <Text fw={600} component="span">
              <StatusMark status={job.status} />
            </Text>
            {job.title && (
              <Text size="sm" c="dimmed">
                {job.title}
              </Text>
            )}
          </Group>
          <Text size="sm" className={classes.explain}>
            {explain}
          </Text>
          {job.status === 'processing' && job.progress !== null && (
            <div>
              <Progress value={job.progress} aria-label="Progress" />
              <Text size="xs" c="dimmed" mt={4}>
                {`${job.progress} % ${job.progress_message ?? ''}`}
              </Text>
            </div>
          )}
        </Stack>
      </div>
    </div>
  );
}

function Outside({ href, children }: { href: string; children: string }) {
  return (
    <Button component="a" size="xs" variant="default" href={href} target="_blank" rel="noreferrer">
      {children} ↗
    </Button>
  );
}
