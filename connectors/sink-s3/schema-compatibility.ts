/**
 * Whether a record fits the open file, by `schema.compatibility`, and what it becomes there.
 * Sources: io.confluent.connect.storage.schema.StorageSchemaCompatibility, SchemaProjector.
 */
import { DataError, fieldOf, isStruct, plainValue, sameSchema, structOf } from '@millrace/runtime/api';
import type { Schema, StructSchema } from '@millrace/runtime/api';

export type Compatibility = 'NONE' | 'BACKWARD' | 'FORWARD' | 'FULL';

export interface SchemaRules {
  /** Whether the file of `current` has to be closed before this record. Throws a DataError when there is no saying. */
  changes(record: Schema | null, current: Schema | null): boolean;
  /** The value under the file's schema. */
  project(record: Schema | null, value: unknown, current: Schema | null): unknown;
}

const numbers = ['int8', 'int16', 'int32', 'int64', 'float32', 'float64'];

export function schemaRules(mode: Compatibility): SchemaRules {
  const decided = new WeakMap<Schema, WeakMap<Schema, boolean>>();

  function decide(record: Schema, current: Schema): boolean {
    if (mode === 'NONE') return !sameSchema(record, current);
    if (record.version === undefined || current.version === undefined) {
      throw new DataError(`schema.compatibility=${mode} needs versions, and a schema has none.`, {
        hint: 'Set schema.compatibility=NONE, or use a converter whose schemas have versions.',
      });
    }
    const newer = mode === 'FORWARD' ? record.version < current.version : record.version > current.version;
    return newer || !projects(record, current);
  }

  return {
    changes(record, current) {
      if (record === current) return false;
      if (record === null || current === null) return true;
      const known = decided.get(current) ?? new WeakMap<Schema, boolean>();
      decided.set(current, known);
      let changed = known.get(record);
      if (changed === undefined) known.set(record, (changed = decide(record, current)));
      return changed;
    },
    project(record, value, current) {
      if (mode === 'NONE' || record === null || current === null || sameSchema(record, current)) return value;
      return projected(record, plainValue(value), current);
    },
  };
}

/** Whether every value of the one schema has a place in the other. */
function projects(from: Schema, to: Schema): boolean {
  if (from.type !== to.type && !promotes(from, to)) return false;
  if (from.name !== to.name || !sameParameters(from, to)) return false;
  if (from.optional && !to.optional && (to.defaultValue ?? null) === null) return false;
  if (from.type === 'array') return projects(from.valueSchema as Schema, to.valueSchema as Schema);
  if (from.type === 'map') {
    return projects(from.keySchema as Schema, to.keySchema as Schema) && projects(from.valueSchema as Schema, to.valueSchema as Schema);
  }
  if (from.type !== 'struct') return true;
  return (to.fields ?? []).every(({ name, schema }) => {
    const own = fieldOf(from, name);
    return own === undefined ? schema.optional || (schema.defaultValue ?? null) !== null : projects(own.schema, schema);
  });
}

function promotes(from: Schema, to: Schema): boolean {
  const [small, large] = [numbers.indexOf(from.type), numbers.indexOf(to.type)];
  return small >= 0 && small <= large;
}

const notes = /^(connect\.record\.(doc|aliases|namespace)|io\.confluent\.connect\.avro\.field\.doc\..*)$/;
const enums = ['io.confluent.connect.avro.Enum', 'org.apache.kafka.connect.data.Enum', 'io.confluent.connect.protobuf.Enum'];

function sameParameters(from: Schema, to: Schema): boolean {
  const own = told(from);
  const theirs = told(to);
  const isEnum = (parameters: Map<string, string>): boolean => enums.some((name) => parameters.has(name));
  if (!(isEnum(own) && isEnum(theirs)) && own.size !== theirs.size) return false;
  return [...own].every(([key, value]) => theirs.get(key) === value);
}

const told = ({ parameters = {} }: Schema): Map<string, string> => new Map(Object.entries(parameters).filter(([key]) => !notes.test(key)));

function projected(from: Schema, value: unknown, to: Schema): unknown {
  if (value === null || value === undefined) return from.optional && !to.optional ? (to.defaultValue ?? null) : null;
  switch (to.type) {
    case 'struct':
      return struct(from, value, to as StructSchema);
    case 'array':
      return (value as readonly unknown[]).map((item) => projected(from.valueSchema as Schema, item, to.valueSchema as Schema));
    case 'map':
      return new Map(
        [...(value as ReadonlyMap<unknown, unknown>)].map(([key, item]) => [
          projected(from.keySchema as Schema, key, to.keySchema as Schema),
          projected(from.valueSchema as Schema, item, to.valueSchema as Schema),
        ]),
      );
    case 'int64':
      return typeof value === 'number' ? BigInt(value) : value;
    case 'float32':
    case 'float64':
      return typeof value === 'bigint' ? Number(value) : value;
    default:
      return value;
  }
}

function struct(from: Schema, value: unknown, to: StructSchema): unknown {
  if (!isStruct(value)) throw new DataError('a struct was to come, and it is none');
  const values: Record<string, unknown> = {};
  for (const { name, schema } of to.fields) {
    const own = fieldOf(from, name);
    values[name] = own === undefined ? (schema.defaultValue ?? null) : projected(own.schema, value.at(own.index), schema);
  }
  return structOf(to, values);
}
