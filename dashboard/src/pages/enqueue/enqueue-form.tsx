import { Button, Checkbox, Group, Stack, Text, Textarea } from '@mantine/core';
import { lazy, Suspense, useMemo, useState } from 'react';
import { JsonBlock } from '../../components/json-block.tsx';
import { useOperator } from '../../data/operator-context.ts';
import type { JobTypeRow, Json, NewJob } from '../../data/rows.ts';
import { go, href } from '../../location/route.ts';
import { buildPayload, parseJson, type Entered } from './build-payload.ts';
import classes from './enqueue-page.module.css';
import { JobOptions, noOptions, readOptions } from './job-options.tsx';
import { readPayloadFields, type PayloadField } from './payload-fields.ts';
import { PayloadForm } from './payload-form.tsx';

const ConfirmDialog = lazy(() => import('../../components/confirm-dialog.tsx'));

/** A form made from the payload's schema; the whole payload as JSON where there is none, or on demand. */
export function EnqueueForm({ type }: { type: JobTypeRow }) {
  const operator = useOperator();
  const fields = useMemo(() => readPayloadFields(type.payload_schema), [type.payload_schema]);
  const [entered, setEntered] = useState<Entered>({});
  const [json, setJson] = useState<string | null>(fields ? null : '{}');
  const [options, setOptions] = useState(noOptions);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [job, setJob] = useState<NewJob | null>(null);
  const submit = () => {
    const built = json === null ? buildPayload(fields ?? [], entered) : fromJson(json);
    setErrors(built.errors);
    if (Object.keys(built.errors).length === 0)
      setJob({ type: type.type, payload: built.payload, ...readOptions(options) });
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Stack gap="md" mt="md">
        {fields && (
          <Checkbox
            label="Write the payload as JSON"
            checked={json !== null}
            onChange={(event) => setJson(event.currentTarget.checked ? asJson(fields, entered) : null)}
          />
        )}
        {json === null ? (
          <PayloadForm
            fields={fields ?? []}
            entered={entered}
            errors={errors}
            onChange={(name, value) => setEntered({ ...entered, [name]: value })}
          />
        ) : (
          <Textarea
            label="Payload"
            description="A JSON object"
            rows={8}
            className={classes.json}
            error={errors[PAYLOAD]}
            value={json}
            onChange={(event) => setJson(event.currentTarget.value)}
          />
        )}
        <JobOptions type={type} options={options} onChange={setOptions} />
        <Group>
          <Button type="submit">Enqueue…</Button>
          {Object.keys(errors).length > 0 && (
            <Text size="sm" c="red" role="alert">
              {`Nothing is enqueued yet: ${Object.keys(errors).join(', ')}`}
            </Text>
          )}
        </Group>
      </Stack>
      {job && (
        <Suspense>
          <ConfirmDialog
            title={`Enqueue ${type.type}?`}
            confirm="Enqueue"
            run={async () => {
              const { id, created } = await operator.enqueue(job);
              go(href(['jobs', id]));
              return created
                ? 'The job is queued.'
                : 'A job with this idempotency key exists already: here it is.';
            }}
            onClose={() => setJob(null)}
          >
            <JsonBlock label="Job to enqueue" value={{ ...job }} />
          </ConfirmDialog>
        </Suspense>
      )}
    </form>
  );
}

const PAYLOAD = 'payload';

function fromJson(text: string): { payload: Json; errors: Record<string, string> } {
  const { value, error } = parseJson(text);
  return error === undefined
    ? { payload: value, errors: {} }
    : { payload: null, errors: { [PAYLOAD]: error } };
}

/** What was entered so far goes along when the form changes its face. */
function asJson(fields: readonly PayloadField[], entered: Entered): string {
  return JSON.stringify(buildPayload(fields, entered).payload, null, 2);
}
