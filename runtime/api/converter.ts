import type { ByteSink } from './byte-sink.ts';
import type { ConfigDef } from './config-def.ts';
import type { Schema, SchemaAndValue } from './schema.ts';
import type { SerializedForm } from './serialized-value.ts';

/** Turns data into bytes and back; one instance serves the keys or the values of one task. */
export interface Converter {
  /**
   * Appends the value's bytes to `out`. Returns false, having written nothing, where the wire wants null (a
   * tombstone). Serialisers are compiled for each schema and kept by its identity. Throws a DataError.
   */
  write(topic: string, schema: Schema | null, value: unknown, out: ByteSink): boolean;
  /** Reads what `write` wrote; null bytes give a null value. Throws a DataError. */
  read(topic: string, bytes: Uint8Array | null): SchemaAndValue;
  /**
   * `read` for a sink that writes values in this form: where writing this one would give the bytes that it came in, its
   * value is a {@link SerializedValue} of them. Throws whatever `read` would. Left out: values are always read.
   */
  readSerialized?(topic: string, bytes: Uint8Array | null, form: SerializedForm): SchemaAndValue;
  /**
   * Work that needs waiting for (a schema registry), called once for each new pair of topic and schema before
   * `write` sees it.
   */
  prepare?(topic: string, schema: Schema | null): Promise<void>;
}

export interface HeaderConverter {
  /** Null where the wire wants null. Throws a DataError. */
  writeHeader(topic: string, key: string, schema: Schema | null, value: unknown): Uint8Array | null;
  readHeader(topic: string, key: string, bytes: Uint8Array | null): SchemaAndValue;
}

/** `values` are the parsed keys of `config`, their `key.converter.` and like prefixes taken off. */
export interface ConverterPlugin {
  readonly kind: 'converter';
  readonly config: ConfigDef;
  create(values: Readonly<Record<string, unknown>>, use: 'key' | 'value'): Converter;
}

export interface HeaderConverterPlugin {
  readonly kind: 'header_converter';
  readonly config: ConfigDef;
  createHeaderConverter(values: Readonly<Record<string, unknown>>): HeaderConverter;
}
