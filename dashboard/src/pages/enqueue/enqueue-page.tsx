import { NativeSelect } from '@mantine/core';
import { Answered } from '../../components/answered.tsx';
import { Empty } from '../../components/answers.tsx';
import { PageHeading } from '../../components/page-heading.tsx';
import { useLive } from '../../data/use-live.ts';
import { go, href } from '../../location/route.ts';
import classes from './enqueue-page.module.css';
import { EnqueueForm } from './enqueue-form.tsx';

/** Puts a job into the queue by hand; the type is part of the address. */
export default function EnqueuePage({ search }: { search: URLSearchParams }) {
  const query = useLive(['job-types'], (operator) => operator.jobTypes());
  const chosen = search.get('type') ?? '';
  return (
    <>
      <PageHeading title="Enqueue a job" />
      <Answered query={query}>
        {(types) => {
          const type = types.find((known) => known.type === chosen);
          return (
            <div className={classes.form}>
              <NativeSelect
                label="Type"
                data={[{ value: '', label: 'choose one' }, ...types.map((known) => known.type)]}
                value={type?.type ?? ''}
                onChange={(event) =>
                  go(href(['enqueue'], { type: event.currentTarget.value }), { replace: true })
                }
              />
              {chosen !== '' && !type && (
                <Empty title={`There is no type ${chosen}`}>Choose one that the database knows.</Empty>
              )}
              {type && <EnqueueForm key={type.type} type={type} />}
            </div>
          );
        }}
      </Answered>
    </>
  );
}
