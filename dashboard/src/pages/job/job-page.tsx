import { Anchor, Stack } from '@mantine/core';
import { Answered } from '../../components/answered.tsx';
import { Empty } from '../../components/answers.tsx';
import { Section } from '../../components/section.tsx';
import type { JobDetails } from '../../data/rows.ts';
import { useLive } from '../../data/use-live.ts';
import { href } from '../../location/route.ts';
import { Attempts } from './attempts.tsx';
import { DependencyGraph } from './dependency-graph.tsx';
import { Facts } from './facts.tsx';
import { JobHeading } from './job-heading.tsx';
import classes from './job-page.module.css';
import { Steps } from './steps.tsx';
import { StoredValue } from './stored-value.tsx';

/** Everything that is known about one job. */
export default function JobPage({ id }: { id: string }) {
  const query = useLive(['job', id], (operator) => operator.job(id));
  return (
    <Answered query={query}>
      {(details) =>
        details ? (
          <Found details={details} />
        ) : (
          <Empty isPage title="There is no such job">
            It may have been pruned or deleted.{' '}
            <Anchor href={href(['jobs'])} underline="always">
              Go to the list of jobs
            </Anchor>
          </Empty>
        )
      }
    </Answered>
  );
}

function Found({ details }: { details: JobDetails }) {
  const { job, attempts, steps, parents, children } = details;
  return (
    <Stack gap="lg">
      <JobHeading details={details} />
      <div className={classes.columns}>
        <Stack gap="lg" miw={0}>
          {parents.length + children.length > 0 && (
            <Section title="Dependencies">
              <DependencyGraph job={job} parents={parents} children={children} />
            </Section>
          )}
          <Section title={`Attempts that did not complete (${attempts.length})`}>
            <Attempts rows={attempts} />
          </Section>
          {steps.length > 0 && (
            <Section title={`Saved steps (${steps.length})`}>
              <Steps rows={steps} />
            </Section>
          )}
          <StoredValue
            title="Payload"
            value={job.payload}
            isOmitted={job.payload_omitted}
            bytes={job.payload_bytes}
          />
          {job.status === 'completed' && (
            <StoredValue
              title="Result"
              value={job.result}
              isOmitted={job.result_omitted}
              bytes={job.result_bytes}
            />
          )}
        </Stack>
        <Facts details={details} />
      </div>
    </Stack>
  );
}
