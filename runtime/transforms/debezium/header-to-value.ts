import {
  ConfigError,
  DataError,
  ValueStruct,
  defineConfig,
  defineTransform,
  fieldOf,
  isStruct,
  structSchema,
  withOptions,
} from '../../api/index.ts';
import type { ConnectRecord, Schema, Struct, StructSchema } from '../../api/index.ts';
import { mustBeStruct, perSchema } from '../record-side.ts';

const names = {
  kind: 'custom',
  check: (value: unknown): string | undefined => {
    const list = value as readonly string[];
    if (list.length === 0) return 'List must not be empty';
    return list.some((name) => name === '' || /\s/.test(name)) ? 'no name may be empty or hold a space' : undefined;
  },
} as const;

const config = defineConfig({
  headers: {
    type: 'list',
    rule: names,
    importance: 'high',
    doc: 'Header names in the record whose values are to be copied or moved to record value.',
  },
  fields: {
    type: 'list',
    rule: names,
    importance: 'high',
    doc: 'Field names, in the same order as the header names; a.b stands for a field of the struct a.',
  },
  operation: {
    type: 'string',
    rule: { kind: 'one-of', values: ['move', 'copy'] },
    importance: 'high',
    doc: 'Either `move`, which takes the headers away, or `copy`, which leaves them.',
  },
});

interface Entry {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly value: unknown;
}

/** io.debezium.transforms.HeaderToValue: headers become fields of the value. */
export default defineTransform({
  config,
  create({ headers, fields, operation }) {
    if (headers.length !== fields.length)
      throw new ConfigError("'fields' config must have the same number of elements as 'headers' config.");
    const schemaFor = extendedSchemas();
    return <R extends ConnectRecord>(record: R): R => {
      if (record.value === null || record.value === undefined) return record;
      const value = mustBeStruct(record.value, 'Header field insertion');
      const entries = record.headers.flatMap(({ key, schema, value: found }): Entry[] => {
        const at = headers.indexOf(key);
        if (at < 0) return [];
        if (schema === null) throw new DataError(`topic ${record.topic}: header ${key} has no schema, which a field of the value needs`);
        return [{ path: (fields[at] ?? '').split('.'), schema, value: found }];
      });
      if (entries.length === 0) return record;
      const schema = schemaFor(value.schema, entries);
      return {
        ...record,
        valueSchema: schema,
        value: extended(value, schema, entries),
        headers: operation === 'move' ? record.headers.filter(({ key }) => !headers.includes(key)) : record.headers,
      };
    };
  },
});

/** Made once for each schema and the schemas that are added. */
function extendedSchemas(): (schema: StructSchema, entries: readonly Entry[]) => StructSchema {
  const made = perSchema((_: StructSchema) => [] as { readonly entries: readonly Entry[]; readonly schema: StructSchema }[]);
  return (schema, entries) => {
    const known = made(schema);
    const found = known.find(
      (one) =>
        one.entries.length === entries.length &&
        one.entries.every(({ path, schema: of }, i) => of === entries[i]?.schema && path.join('.') === entries[i]?.path.join('.')),
    );
    if (found !== undefined) return found.schema;
    const longer = extendedSchema(schema, entries);
    if (known.length >= 64) known.length = 0;
    known.push({ entries, schema: longer });
    return longer;
  };
}

function extendedSchema(schema: StructSchema, entries: readonly Entry[]): StructSchema {
  const fields = schema.fields.map(({ name, schema: of }) => {
    const inner = entries
      .filter(({ path }) => path.length > 1 && path[0] === name)
      .map((entry) => ({ ...entry, path: entry.path.slice(1) }));
    return [name, inner.length === 0 || of.type !== 'struct' ? of : extendedSchema(of as StructSchema, inner)] as const;
  });
  const added = entries.filter(({ path }) => path.length === 1 && fieldOf(schema, path[0] ?? '') === undefined);
  const list = [...fields, ...added.map(({ path, schema: of }) => [path[0] ?? '', of] as const)];
  return withOptions(structSchema(list, schema), { optional: schema.optional });
}

function extended(struct: Struct, schema: StructSchema, entries: readonly Entry[]): ValueStruct {
  const items = schema.fields.map(({ name, schema: of }) => {
    const direct = entries.find(({ path }) => path.length === 1 && path[0] === name);
    if (direct !== undefined) return direct.value;
    const value = struct.get(name);
    const inner = entries
      .filter(({ path }) => path.length > 1 && path[0] === name)
      .map((entry) => ({ ...entry, path: entry.path.slice(1) }));
    return inner.length > 0 && isStruct(value) ? extended(value, of as StructSchema, inner) : value;
  });
  return new ValueStruct(schema, items);
}
