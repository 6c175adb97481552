import { DataError, defineConfig, schemas } from '../api/index.ts';
import type { ByteSink, Converter, ConverterPlugin, Schema } from '../api/index.ts';
import jsonConverter from './json/json-converter.ts';

const json = 'org.apache.kafka.connect.json.JsonConverter';

const config = defineConfig({
  'delegate.converter.type': {
    type: 'string',
    default: null,
    rule: {
      kind: 'custom',
      check: (value) =>
        value === null || value === json ? undefined : `"${String(value)}" is not supported as a delegate: choose ${json}`,
    },
    importance: 'low',
    doc: 'The converter for what is no bytes.',
  },
  'delegate.converter.type.schemas.enable': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether that converter writes schemas.',
  },
});

/** io.debezium.converters.BinaryDataConverter: bytes go through as they are, the rest is left to another converter. */
export default {
  kind: 'converter',
  config,
  create(values, use): Converter {
    const schemasEnable = values['delegate.converter.type.schemas.enable'];
    const delegate = values['delegate.converter.type'] === json ? jsonConverter.create(delegateValues(schemasEnable), use) : undefined;
    return {
      write(topic: string, schema: Schema | null, value: unknown, out: ByteSink): boolean {
        if (value instanceof Uint8Array && (schema === null || schema.type === 'bytes')) {
          out.copy(value);
          return true;
        }
        if ((value === null || value === undefined) && (schema === null || schema.type === 'bytes')) return false;
        if (delegate !== undefined) return delegate.write(topic, schema, value, out);
        throw new DataError(
          `topic ${topic}: a ${schema?.name ?? schema?.type ?? typeof value} is no bytes; it requires a delegate.converter.type to be configured`,
        );
      },
      // A copy: the batch that the bytes stand in is reused.
      read: (_topic, bytes) => ({ schema: schemas.optionalBytes, value: bytes === null ? null : new Uint8Array(bytes) }),
    };
  },
} satisfies ConverterPlugin;

function delegateValues(schemasEnable: unknown): Readonly<Record<string, unknown>> {
  const defaults = Object.entries(jsonConverter.config).map(([key, { default: fallback }]) => [key, fallback]);
  return { ...Object.fromEntries(defaults), 'schemas.enable': schemasEnable };
}
