import { DataError } from './errors.ts';
import { fieldOf, sameSchema, sameValue } from './schema.ts';
import type { StructSchema } from './schema.ts';
import { WireStruct } from './wire.ts';

/** A value of a struct schema. Reading is all that it promises: where the fields stand is its own affair. */
export interface Struct {
  readonly schema: StructSchema;
  /** The field's value, or null. Throws a DataError for a field that the schema does not have. */
  get(name: string): unknown;
  /** The value of the field at that index of `schema.fields`, or null. */
  at(index: number): unknown;
}

/** A struct whose values are held as JavaScript values, one for each field. */
export class ValueStruct implements Struct {
  readonly schema: StructSchema;
  readonly values: unknown[];

  /** `values` in the order of the schema's fields; what is missing is null. */
  constructor(schema: StructSchema, values: unknown[]) {
    this.schema = schema;
    this.values = values;
  }

  get(name: string): unknown {
    return this.values[mustHave(this.schema, name)] ?? null;
  }

  at(index: number): unknown {
    return this.values[index] ?? null;
  }

  set(name: string, value: unknown): this {
    this.values[mustHave(this.schema, name)] = value;
    return this;
  }

  equals(other: unknown): boolean {
    return (
      isStruct(other) &&
      sameSchema(this.schema, other.schema) &&
      this.schema.fields.every((field) => sameValue(this.at(field.index), other.at(field.index)))
    );
  }
}

function mustHave(schema: StructSchema, name: string): number {
  const field = fieldOf(schema, name);
  if (field === undefined) throw new DataError(`${schema.name ?? 'the struct'} has no field "${name}"`);
  return field.index;
}

/** `structOf(schema, { id: 1, name: 'x' })`; fields left out are null. Throws a DataError for an unknown field. */
export function structOf(schema: StructSchema, values: Readonly<Record<string, unknown>>): ValueStruct {
  const struct = new ValueStruct(schema, new Array<unknown>(schema.fields.length).fill(null));
  for (const name of Object.keys(values)) struct.set(name, values[name]);
  return struct;
}

export function isStruct(value: unknown): value is Struct {
  return value instanceof ValueStruct || value instanceof WireStruct;
}
