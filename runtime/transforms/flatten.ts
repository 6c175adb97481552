import { DataError, ValueStruct, defineConfig, defineTransform, isStruct, structSchema, withOptions } from '../api/index.ts';
import type { Schema, Struct, StructSchema, TransformPlugin } from '../api/index.ts';
import { basicsOf, keySide, mustBeMap, mustBeStruct, perSchema, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const config = defineConfig({
  delimiter: {
    type: 'string',
    default: '.',
    importance: 'medium',
    doc: 'Delimiter to insert between field names from the input record when generating field names for the output record',
  },
});

interface Leaf {
  readonly name: string;
  readonly path: readonly number[];
  readonly schema: Schema;
}

/** org.apache.kafka.connect.transforms.Flatten: structs in structs become fields with joined names; arrays stay. */
function flatten(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create({ delimiter }) {
      const plan = perSchema((schema: StructSchema) => {
        const leaves = leavesOf(schema, '', [], schema.optional, delimiter);
        return {
          leaves,
          schema: structSchema(
            leaves.map((leaf) => [leaf.name, leaf.schema]),
            basicsOf(schema),
          ),
        };
      });
      return (record) => {
        const value = side.valueOf(record);
        if (value === null || value === undefined) return record;
        if (side.schemaOf(record) === null) {
          const flat: Record<string, unknown> = {};
          flattenMap(mustBeMap(value, 'flattening'), '', delimiter, flat);
          return side.replace(record, null, flat);
        }
        const struct = mustBeStruct(value, 'flattening');
        const { leaves, schema } = plan(struct.schema);
        return side.replace(
          record,
          schema,
          new ValueStruct(
            schema,
            leaves.map(({ path }) => leafValue(struct, path)),
          ),
        );
      };
    },
  });
}

function leavesOf(schema: StructSchema, prefix: string, path: readonly number[], optional: boolean, delimiter: string): Leaf[] {
  return schema.fields.flatMap((field): Leaf[] => {
    const name = prefix === '' ? field.name : `${prefix}${delimiter}${field.name}`;
    const at = [...path, field.index];
    const mayLack = optional || field.schema.optional;
    if (field.schema.type === 'struct') return leavesOf(field.schema as StructSchema, name, at, mayLack, delimiter);
    return [
      { name, path: at, schema: mayLack === field.schema.optional ? field.schema : withOptions(field.schema, { optional: mayLack }) },
    ];
  });
}

function leafValue(struct: Struct, path: readonly number[]): unknown {
  let current: unknown = struct;
  for (const index of path) {
    if (!isStruct(current)) return null;
    current = current.at(index) ?? current.schema.fields[index]?.schema.defaultValue ?? null;
  }
  return current;
}

function flattenMap(map: Record<string, unknown>, prefix: string, delimiter: string, into: Record<string, unknown>, depth = 0): void {
  if (depth > 1000) throw new DataError('Flatten: the value is nested more than 1000 deep');
  for (const [key, value] of Object.entries(map)) {
    const name = prefix === '' ? key : `${prefix}${delimiter}${key}`;
    const plain =
      typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Date);
    if (value instanceof Map || (plain && Object.getPrototypeOf(value) === Object.prototype)) {
      flattenMap(mustBeMap(value, 'flattening'), name, delimiter, into, depth + 1);
    } else into[name] = value;
  }
}

export const key = flatten(keySide);
export const value = flatten(valueSide);
