/** The three things of a record that files are made of. Source: io.confluent.connect.s3.format.RecordViews. */
import { DataError, arraySchema, javaText, schemas, structOf, structSchema } from '@millrace/runtime/api';
import type { Header, Schema, SchemaAndValue, SinkRecord, StructSchema } from '@millrace/runtime/api';
import type { FileFormat } from './formats/file-format.ts';

export interface RecordView {
  /** Before the format's extension. */
  readonly extension: '' | '.keys' | '.headers';
  readonly format: FileFormat;
  /** Throws a DataError for a record that has none. */
  of(record: SinkRecord): SchemaAndValue;
}

const headerSchema = structSchema([
  ['key', schemas.string],
  ['value', schemas.optionalString],
]);
const headersSchema = arraySchema(headerSchema);
const envelopedHeaders = structSchema([['headers', headersSchema]], { name: 'RecordHeaders' });

export const valueView = (format: FileFormat): RecordView => ({
  extension: '',
  format,
  of: ({ valueSchema, value }) => ({ schema: valueSchema, value }),
});

export function keyView(format: FileFormat): RecordView {
  const enveloped = new WeakMap<Schema, StructSchema>();
  const envelope = (schema: Schema): StructSchema => {
    let known = enveloped.get(schema);
    if (known === undefined) enveloped.set(schema, (known = structSchema([['key', schema]], { name: 'RecordKey' })));
    return known;
  };
  return {
    extension: '.keys',
    format,
    of({ keySchema, key }) {
      if (key === null) throw new DataError('the record has no key, and store.kafka.keys=true needs one');
      if (format.envelope !== 'always' || keySchema === null) return { schema: keySchema, value: key };
      const schema = envelope(keySchema);
      return { schema, value: structOf(schema, { key }) };
    },
  };
}

export function headerView(format: FileFormat): RecordView {
  return {
    extension: '.headers',
    format,
    of({ headers }) {
      if (headers.length === 0) throw new DataError('the record has no headers, and store.kafka.headers=true needs some');
      const value = headers.map((header) => structOf(headerSchema, { key: header.key, value: headerText(header) }));
      if (format.envelope === 'never') return { schema: headersSchema, value };
      return { schema: envelopedHeaders, value: structOf(envelopedHeaders, { headers: value }) };
    },
  };
}

function headerText({ schema, value }: Header): string | null {
  return value === null || value === undefined ? null : javaText(schema, value);
}
