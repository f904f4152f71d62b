import type { Json } from '../../data/rows.ts';
import type { PayloadField } from './payload-fields.ts';

/** What was entered, by field; booleans as `true` or `false`. */
export type Entered = Record<string, string | undefined>;

export interface BuiltPayload {
  payload: { [key: string]: Json };
  /** What is wrong, by field. */
  errors: Record<string, string>;
}

/** Makes the payload out of what was entered. Fields left empty are left out: the job knows its defaults. */
export function buildPayload(fields: readonly PayloadField[], entered: Entered): BuiltPayload {
  const built: BuiltPayload = { payload: {}, errors: {} };
  for (const field of fields) {
    const text = entered[field.name]?.trim() ?? '';
    if (text === '') {
      if (field.isRequired && field.kind !== 'boolean') built.errors[field.name] = 'Expected a value';
      else if (field.isRequired) built.payload[field.name] = false;
      continue;
    }
    const { value, error } = valueOf(field, text);
    if (error !== undefined) built.errors[field.name] = error;
    else built.payload[field.name] = value;
  }
  return built;
}

type Parsed = { value: Json; error?: undefined } | { value?: undefined; error: string };

function valueOf(field: PayloadField, text: string): Parsed {
  switch (field.kind) {
    case 'number':
      return numberOf(field, text);
    case 'boolean':
      return { value: text === 'true' };
    case 'json':
      return parseJson(text);
    case 'any':
      return /^[[{]/.test(text) ? parseJson(text) : { value: text };
    case 'choice':
      return field.choices.includes(text)
        ? { value: text }
        : { error: `Expected one of ${field.choices.join(', ')}` };
    case 'text':
      return matches(field, text)
        ? { value: text }
        : { error: `Expected ${field.format ?? `text like ${field.pattern}`}` };
  }
}

function numberOf({ isInteger, minimum, maximum }: PayloadField, text: string): Parsed {
  const value = Number(text);
  if (!Number.isFinite(value) || (isInteger && !Number.isInteger(value)))
    return { error: isInteger ? 'Expected a whole number' : 'Expected a number' };
  if (minimum !== undefined && value < minimum) return { error: `Expected at least ${minimum}` };
  if (maximum !== undefined && value > maximum) return { error: `Expected at most ${maximum}` };
  return { value };
}

function matches({ pattern }: PayloadField, text: string): boolean {
  return pattern === undefined || new RegExp(pattern, 'u').test(text);
}

/** @returns the value, or where the text stops being JSON */
export function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (error) {
    return { error: `Expected JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}
