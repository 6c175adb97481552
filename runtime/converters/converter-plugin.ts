import type {
  ByteSink,
  ConfigDef,
  Converter,
  ConverterPlugin,
  HeaderConverterPlugin,
  Schema,
  SchemaAndValue,
  SerializedForm,
} from '../api/index.ts';

/** What a converter does with one value, whether it is a key, a value or a header. Both throw a DataError. */
export interface ValueCodec {
  /** Null where the wire wants null. */
  encode(schema: Schema | null, value: unknown): Uint8Array | null;
  /** Bytes are never null here. */
  decode(bytes: Uint8Array): SchemaAndValue;
  /** As {@link Converter.readSerialized}; bytes are never null here. */
  decodeSerialized?(bytes: Uint8Array, form: SerializedForm): SchemaAndValue;
  /** What null bytes give. */
  readonly missing: SchemaAndValue;
}

export type ConverterForAll = ConverterPlugin & Pick<HeaderConverterPlugin, 'createHeaderConverter'>;

/** A converter that does the same for keys, values and headers. */
export function converterPlugin(config: ConfigDef, codecFor: (values: Readonly<Record<string, unknown>>) => ValueCodec): ConverterForAll {
  return {
    kind: 'converter',
    config,
    create: (values) => converterOf(codecFor(values)),
    createHeaderConverter(values) {
      const codec = codecFor(values);
      return {
        writeHeader: (_topic, _key, schema, value) => codec.encode(schema, value),
        readHeader: (_topic, _key, bytes) => (bytes === null ? codec.missing : codec.decode(bytes)),
      };
    },
  };
}

function converterOf(codec: ValueCodec): Converter {
  const { decodeSerialized } = codec;
  return {
    write(_topic: string, schema: Schema | null, value: unknown, out: ByteSink): boolean {
      const bytes = codec.encode(schema, value);
      if (bytes === null) return false;
      out.copy(bytes);
      return true;
    },
    read: (_topic, bytes) => (bytes === null ? codec.missing : codec.decode(bytes)),
    ...(decodeSerialized && { readSerialized: (_topic, bytes, form) => (bytes === null ? codec.missing : decodeSerialized(bytes, form)) }),
  };
}
