/** From a field's schema and its column to how its values are written. */
import { DataError, Decimal, isStruct } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

import type { Column } from '../catalog.ts';
import type { ValueSettings } from '../settings.ts';
import { arrayLiteral, bitText, geometryText, hstoreText, jsonText, vectorText } from './structured.ts';
import { countedTimestamp, temporalEncoder } from './temporal.ts';
import { escaped, numberText, plain, schemaLabel, writeNumber } from './value-text.ts';
import type { Encoder } from './value-text.ts';

const vectors = new Set(['vector', 'halfvec', 'sparsevec']);
const specialNumbers: Readonly<Record<string, string>> = { NAN: 'NaN', POSITIVE_INFINITY: 'Infinity', NEGATIVE_INFINITY: '-Infinity' };

const isJson = ({ base }: Column): boolean => base === 'json' || base === 'jsonb';

/** Without a schema (JSON objects), the column alone says what a value is to be. Throws a DataError for a schema that no column can hold. */
export function encoderOf(schema: Schema | null, column: Column, field: string, settings: ValueSettings): Encoder {
  if (schema === null) return looseEncoder(column);
  if (settings.timestampFields.has(field) && (schema.type === 'int64' || schema.type === 'string') && column.category === 'D') {
    return countedTimestamp(column, settings);
  }
  return temporalEncoder(schema, column, settings) ?? namedEncoder(schema, column) ?? typedEncoder(schema, column, field, settings);
}

/** `String` alone costs more than the writing. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : String(value));

function namedEncoder(schema: Schema, column: Column): Encoder | undefined {
  switch (schema.name) {
    case 'org.apache.kafka.connect.data.Decimal':
      return plain((value) => (value instanceof Decimal ? value.toString() : numberText(value)));
    case 'io.debezium.data.VariableScaleDecimal':
      return plain(variableDecimal);
    case 'io.debezium.data.Bits': {
      // Bytes tell no length: of bit(n) the column does, and of varbit(n) at least the most.
      const length = column.typmod > 0 ? column.typmod : undefined;
      if (column.base === 'varbit') return plain((value) => bitText(value, undefined).slice(-(length ?? 0)));
      return column.base === 'bit' ? plain((value) => bitText(value, length)) : undefined;
    }
    case 'io.debezium.data.Json':
      return column.base === 'hstore' ? escaped(hstoreText) : undefined;
    case 'io.debezium.data.geometry.Point':
    case 'io.debezium.data.geometry.Geometry':
    case 'io.debezium.data.geometry.Geography':
      return escaped((value) => geometryText(value, column.base));
    case 'io.debezium.data.EnumSet':
      return column.category === 'A'
        ? escaped((value) => arrayLiteral(String(value).split(',').filter(Boolean), String, false))
        : undefined;
  }
  return undefined;
}

function variableDecimal(value: unknown): string {
  if (!isStruct(value)) throw new DataError('a VariableScaleDecimal must be a struct');
  const unscaled = value.get('value');
  if (!(unscaled instanceof Uint8Array)) throw new DataError('a VariableScaleDecimal has no value');
  return Decimal.fromBytes(unscaled, Number(value.get('scale'))).toString();
}

function typedEncoder(schema: Schema, column: Column, field: string, settings: ValueSettings): Encoder {
  switch (schema.type) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'float32':
    case 'float64':
      return plain(numberText, writeNumber);
    case 'boolean':
      return column.category === 'N' || column.base === 'bit' || column.base === 'varbit'
        ? plain((value) => (value === true ? '1' : '0'))
        : plain((value) => (value === true ? 't' : 'f'));
    case 'string':
      return column.category === 'N' ? escaped((value) => specialNumbers[String(value)] ?? String(value)) : escaped(textOf);
    case 'bytes':
      return bytesEncoder(column);
    case 'array':
      return arrayEncoder(schema, column, field, settings);
    case 'map':
      return escaped(column.base === 'hstore' ? hstoreText : jsonText);
    case 'struct':
      if (vectors.has(column.base)) return escaped(vectorText);
      if (isJson(column) || column.category === 'S') return escaped(jsonText);
  }
  throw new DataError(`field "${field}" is a ${schemaLabel(schema)}, which a column of type ${column.type} cannot hold.`, {
    hint: 'Make the column jsonb, or take the field apart with the transform Flatten.',
  });
}

/** Bytes as they are into bytea; into anything else as the text that they are of (Debezium's include.unknown.datatypes). */
function bytesEncoder(column: Column): Encoder {
  const bytesOf = (value: unknown): Buffer => {
    if (!(value instanceof Uint8Array)) throw new DataError('the value is no bytes');
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  };
  return column.base === 'bytea' || column.base === '_bytea'
    ? escaped((value) => `\\x${bytesOf(value).toString('hex')}`)
    : escaped((value) => bytesOf(value).toString());
}

function arrayEncoder(schema: Schema, column: Column, field: string, settings: ValueSettings): Encoder {
  if (vectors.has(column.base)) return escaped(vectorText);
  if (column.category !== 'A') return escaped(jsonText);
  const items = schema.valueSchema;
  if (items === undefined) return escaped(jsonText);
  const base = column.base.replace(/^_/, '');
  const item = encoderOf(items, { ...column, base, category: categoryOf(base) }, field, settings);
  return escaped((value) => arrayLiteral(value as readonly unknown[], item.text, item.plain));
}

/** Of an item, whose own catalog entry is not at hand: only what encoders ask for. */
function categoryOf(base: string): string {
  if (/^(int[248]|numeric|float[48]|money|oid)$/.test(base)) return 'N';
  if (/^(date|time|timetz|timestamp|timestamptz)$/.test(base)) return 'D';
  return 'U';
}

function looseEncoder(column: Column): Encoder {
  if (isJson(column)) return escaped(jsonText);
  if (column.base === 'hstore') return escaped(hstoreText);
  return escaped((value) => looseText(value, column));
}

function looseText(value: unknown, column: Column): string {
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value) && vectors.has(column.base)) return vectorText(value);
  if (Array.isArray(value) && column.category === 'A')
    return arrayLiteral(value, (item) => (typeof item === 'object' ? jsonText(item) : String(item)), false);
  if (column.category === 'S') return jsonText(value);
  throw new DataError(`an object cannot be written into a column of type ${column.type}.`, {
    hint: 'Make the column jsonb, or take the field apart with the transform Flatten.',
  });
}
