import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core';
import type { Entered } from './build-payload.ts';
import type { PayloadField } from './payload-fields.ts';
import classes from './enqueue-page.module.css';

/** One input for each property of the payload. */
export function PayloadForm({
  fields,
  entered,
  errors,
  onChange,
}: {
  fields: readonly PayloadField[];
  entered: Entered;
  errors: Record<string, string>;
  onChange: (name: string, value: string) => void;
}) {
  return (
    <div className={classes.fields}>
      {fields.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={entered[field.name] ?? ''}
          error={errors[field.name]}
          onChange={(value) => onChange(field.name, value)}
        />
      ))}
    </div>
  );
}

function Field({
  field,
  value,
  error,
  onChange,
}: {
  field: PayloadField;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
}) {
  const shared = {
    label: field.name,
    description: field.hint || undefined,
    error,
    withAsterisk: field.isRequired,
    'aria-required': field.isRequired,
  };
  const onText = (event: { currentTarget: { value: string } }) => onChange(event.currentTarget.value);
  switch (field.kind) {
    case 'boolean':
      return (
        <Checkbox
          label={field.name}
          mt="lg"
          checked={value === '' ? field.default === true : value === 'true'}
          onChange={(event) => onChange(String(event.currentTarget.checked))}
        />
      );
    case 'choice':
      return (
        <NativeSelect
          {...shared}
          data={[{ value: '', label: '–' }, ...field.choices]}
          value={value}
          onChange={onText}
        />
      );
    case 'json':
      return <Textarea {...shared} rows={3} className={classes.wide} value={value} onChange={onText} />;
    case 'number':
    case 'text':
    case 'any':
      return (
        <TextInput
          {...shared}
          inputMode={field.kind === 'number' ? 'numeric' : undefined}
          value={value}
          onChange={onText}
        />
      );
  }
}
