import { TextInput } from '@mantine/core';

/** A whole number. */
export function NumberField({
  label,
  description,
  value,
  min,
  max,
  onChange,
}: {
  label: string;
  description?: string;
  value: number;
  min?: number;
  max?: number;
  onChange: (value: number) => void;
}) {
  return (
    <TextInput
      type="number"
      step={1}
      required
      label={label}
      description={description}
      min={min}
      max={max}
      value={Number.isNaN(value) ? '' : value}
      onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
    />
  );
}
