import type { Json } from '../../data/rows.ts';

/** One property of a payload, as a person fills it in. */
export interface PayloadField {
  name: string;
  /** `any`: text, unless it looks like JSON; `json`: an array or object, written as JSON. */
  kind: 'text' | 'number' | 'boolean' | 'choice' | 'any' | 'json';
  isRequired: boolean;
  isInteger: boolean;
  /** What a `choice` chooses from. */
  choices: string[];
  default: Json | undefined;
  format: string | undefined;
  pattern: string | undefined;
  minimum: number | undefined;
  maximum: number | undefined;
  /** What is expected, in words. */
  hint: string;
}

/** The parts of JSON Schema (2020-12) that the form understands. */
interface Schema {
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  default?: Json;
  description?: string;
  format?: string;
  pattern?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
}

/** @returns the fields of an object's schema; null where the payload has no known properties and is written as JSON */
export function readPayloadFields(schema: Json): PayloadField[] | null {
  const { properties, required = [] } = (schema ?? {}) as Schema;
  if (!properties || Object.keys(properties).length === 0) return null;
  return Object.entries(properties)
    .map(([name, property]) => readField(name, property, required.includes(name)))
    .sort((one, other) => placeOf(one) - placeOf(other));
}

/** The database does not keep the order of the properties: what has to be filled in comes first, then what is short. */
function placeOf({ isRequired, kind }: PayloadField): number {
  return (isRequired ? 0 : 10) + (kind === 'json' ? 2 : kind === 'boolean' ? 1 : 0);
}

function readField(name: string, property: Schema, isRequired: boolean): PayloadField {
  const schema = withoutNull(property);
  const [type] = [schema.type ?? []].flat().filter((known) => known !== 'null');
  const isChoice = schema.enum?.every((choice) => typeof choice === 'string') ?? false;
  const field = {
    name,
    kind: isChoice ? ('choice' as const) : kindOf(type, schema),
    isRequired,
    isInteger: type === 'integer',
    choices: isChoice ? (schema.enum as string[]) : [],
    default: property.default ?? schema.default,
    format: schema.format,
    pattern: schema.pattern,
    minimum: schema.minimum ?? aboveExclusive(schema.exclusiveMinimum, type),
    maximum: schema.maximum,
  };
  return { ...field, hint: [schema.description, hintOf(field)].filter(Boolean).join(', ') };
}

/** `anyOf [x, null]` is an optional x. */
function withoutNull(schema: Schema): Schema {
  const others = schema.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  return others.length === 1 ? { ...others[0], default: schema.default ?? others[0]?.default } : schema;
}

function kindOf(type: string | undefined, schema: Schema): PayloadField['kind'] {
  if (type === 'string') return 'text';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'boolean') return 'boolean';
  return type === undefined && !schema.anyOf ? 'any' : 'json';
}

function aboveExclusive(limit: number | undefined, type: string | undefined): number | undefined {
  return limit === undefined || type !== 'integer' ? limit : limit + 1;
}

function hintOf(field: Omit<PayloadField, 'hint'>): string {
  const { minimum } = field;
  // The limit of a column says nothing to people.
  const maximum = (field.maximum ?? Infinity) >= 2 ** 31 - 1 ? undefined : field.maximum;
  const range =
    minimum !== undefined && maximum !== undefined
      ? `${minimum} to ${maximum}`
      : minimum !== undefined
        ? `at least ${minimum}`
        : maximum !== undefined
          ? `at most ${maximum}`
          : undefined;
  const standard =
    field.default === undefined || field.kind === 'boolean'
      ? undefined
      : `default ${JSON.stringify(field.default)}`;
  const shape = field.kind === 'json' ? 'JSON' : field.format;
  return [shape, range, standard].filter(Boolean).join(', ');
}
