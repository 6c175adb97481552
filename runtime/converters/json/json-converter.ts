import { ByteSink, DataError, SerializedValue } from '../../api/index.ts';
import type { Converter, ConverterPlugin, HeaderConverter, HeaderConverterPlugin, Schema, SchemaAndValue } from '../../api/index.ts';

import { canonicalCheck } from './canonical.ts';
import { createEnvelopeReader } from './envelope-reader.ts';
import { parseJson } from './parse.ts';
import { envelopeHead } from './schema-json.ts';
import { createWriters } from './schema-writer.ts';
import { jsonConfig, jsonSettings } from './settings.ts';
import type { JsonSettings } from './settings.ts';
import type { JsonWriters, ValueWriter } from './writer-types.ts';

/** org.apache.kafka.connect.json.JsonConverter, for keys, values and headers. */
const jsonConverter: ConverterPlugin & HeaderConverterPluginParts = {
  kind: 'converter',
  config: jsonConfig,
  create: (values) => createJsonConverter(jsonSettings(values)),
  createHeaderConverter(values): HeaderConverter {
    const converter = createJsonConverter(jsonSettings(values));
    return {
      writeHeader(topic, _key, schema, value) {
        const out = new ByteSink(64);
        return converter.write(topic, schema, value, out) ? out.written() : null;
      },
      readHeader: (topic, _key, bytes) => converter.read(topic, bytes),
    };
  },
};

type HeaderConverterPluginParts = Pick<HeaderConverterPlugin, 'createHeaderConverter'>;

export default jsonConverter;

export function createJsonConverter(settings: JsonSettings): Converter {
  const writers = createWriters(settings);
  return {
    write: settings.schemasEnable ? envelopeWriter(writers) : plainWriter(writers),
    read: reader(settings),
    ...(settings.schemasEnable ? {} : { readSerialized: plainReader() }),
  };
}

function plainReader(): NonNullable<Converter['readSerialized']> {
  const isCanonical = canonicalCheck();
  return (_topic, bytes, form) => {
    if (bytes === null) return noSchema;
    return { schema: null, value: form === 'json' && isCanonical(bytes) ? new SerializedValue(bytes, parseJson) : parseJson(bytes) };
  };
}

const noSchema: SchemaAndValue = { schema: null, value: null };

function reader(settings: JsonSettings): Converter['read'] {
  const readEnvelope = settings.schemasEnable ? createEnvelopeReader(settings) : undefined;
  return (_topic, bytes) => {
    if (bytes === null) return noSchema;
    return readEnvelope === undefined ? { schema: null, value: parseJson(bytes) } : readEnvelope(bytes);
  };
}

function plainWriter(writers: JsonWriters): Converter['write'] {
  // The schema of the record before is nearly always this one's.
  let lastSchema: Schema | null = null;
  let lastWriter: ValueWriter = () => {};
  return (_topic, schema, value, out) => {
    if (schema === null) return writeSchemaless(writers, value, out);
    if (schema !== lastSchema) {
      lastWriter = writers.forSchema(schema);
      lastSchema = schema;
    }
    guarded(lastWriter, value, out);
    return true;
  };
}

function writeSchemaless(writers: JsonWriters, value: unknown, out: ByteSink): boolean {
  if (value === null || value === undefined) return false;
  guarded(writers.schemaless, value, out);
  return true;
}

interface Envelope {
  readonly head: Uint8Array;
  readonly write: ValueWriter;
}

function envelopeWriter(writers: JsonWriters): Converter['write'] {
  const envelopes = new WeakMap<Schema, Envelope>();
  const schemaless: Envelope = { head: envelopeHead(null, writers), write: writers.schemaless };
  let lastSchema: Schema | null = null;
  let last = schemaless;
  return (_topic, schema, value, out) => {
    if (schema === null && (value === null || value === undefined)) return false;
    if (schema !== lastSchema) {
      last =
        schema === null
          ? schemaless
          : (envelopes.get(schema) ?? {
              head: envelopeHead(schema, writers),
              write: writers.forSchema(schema),
            });
      if (schema !== null) envelopes.set(schema, last);
      lastSchema = schema;
    }
    const begin = out.position;
    out.copy(last.head);
    guarded(last.write, value, out, begin);
    out.byte(0x7d);
    return true;
  };
}

/** Leaves nothing behind when a value turns out to be bad. */
function guarded(write: ValueWriter, value: unknown, out: ByteSink, begin: number = out.position): void {
  try {
    write(value, out);
  } catch (error) {
    out.position = begin;
    if (error instanceof RangeError)
      throw new DataError(`the value cannot be written as JSON: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}
