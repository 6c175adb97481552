/** The SQL types of columns that are made for fields. Sources: Confluent's PostgreSqlDatabaseDialect, Debezium's dialect of the same name. */
import { logical } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

import type { ValueSettings } from '../settings.ts';

/** Types that a source may name in `__debezium.source.column.type`, and that text can be read into. */
const sourceTypes = new Set([
  'CIDR',
  'CITEXT',
  'DATERANGE',
  'INET',
  'INT4RANGE',
  'INT8RANGE',
  'JSONB',
  'MACADDR',
  'MACADDR8',
  'NUMRANGE',
  'TSRANGE',
  'TSTZRANGE',
]);

export function columnType(schema: Schema, field: string, settings: ValueSettings): string {
  if (settings.timestampFields.has(field) && (schema.type === 'int64' || schema.type === 'string')) return 'timestamp';
  return namedType(schema, settings) ?? plainType(schema, field, settings);
}

function namedType({ name = '', parameters = {} }: Schema, { postgisSchema }: ValueSettings): string | undefined {
  switch (name) {
    case logical.decimal: {
      const precision = parameters['connect.decimal.precision'];
      return precision === undefined ? 'numeric' : `numeric(${Number(precision)},${Number(parameters['scale'] ?? 0)})`;
    }
    case logical.date:
    case 'io.debezium.time.Date':
    case 'io.debezium.time.IsoDate':
      return 'date';
    case logical.time:
    case 'io.debezium.time.Time':
    case 'io.debezium.time.MicroTime':
    case 'io.debezium.time.NanoTime':
    case 'io.debezium.time.IsoTime':
      return 'time';
    case logical.timestamp:
    case 'io.debezium.time.Timestamp':
    case 'io.debezium.time.MicroTimestamp':
    case 'io.debezium.time.NanoTimestamp':
    case 'io.debezium.time.IsoTimestamp':
      return 'timestamp';
    case 'io.debezium.time.ZonedTimestamp':
      return 'timestamptz';
    case 'io.debezium.time.ZonedTime':
      return 'timetz';
    case 'io.debezium.time.MicroDuration':
    case 'io.debezium.time.NanoDuration':
    case 'io.debezium.time.Interval':
      return 'interval';
    case 'io.debezium.data.VariableScaleDecimal':
      return 'numeric';
    case 'io.debezium.data.Json':
      return parameters['__debezium.source.column.type']?.toUpperCase() === 'JSONB' ? 'jsonb' : 'json';
    case 'io.debezium.data.Uuid':
      return 'uuid';
    case 'io.debezium.data.Xml':
      return 'xml';
    case 'io.debezium.data.Ltree':
      return 'ltree';
    case 'io.debezium.data.Tsvector':
      return 'tsvector';
    case 'io.debezium.data.Bits':
      return bitsType(Number(parameters['length'] ?? 0));
    case 'io.debezium.data.geometry.Point':
      return 'point';
    case 'io.debezium.data.geometry.Geometry':
      return `${postgisSchema}.geometry`;
    case 'io.debezium.data.geometry.Geography':
      return `${postgisSchema}.geography`;
  }
  return undefined;
}

const bitsType = (length: number): string => (length > 0 && length < 83_886_080 ? `bit(${length})` : 'bit varying');

function plainType(schema: Schema, field: string, settings: ValueSettings): string {
  switch (schema.type) {
    case 'int8':
    case 'int16':
      return 'smallint';
    case 'int32':
      return 'integer';
    case 'int64':
      return 'bigint';
    case 'float32':
      return 'real';
    case 'float64':
      return 'double precision';
    case 'boolean':
      return 'boolean';
    case 'string':
      return textType(schema.parameters ?? {});
    case 'bytes':
      return 'bytea';
    case 'array': {
      const item = schema.valueSchema === undefined ? 'jsonb' : columnType(schema.valueSchema, field, settings);
      return item === 'jsonb' ? 'jsonb' : item.endsWith('[]') ? item : `${item}[]`;
    }
    case 'map':
    case 'struct':
      return 'jsonb';
  }
}

function textType(parameters: Readonly<Record<string, string>>): string {
  const source = parameters['__debezium.source.column.type']?.toUpperCase() ?? '';
  if (sourceTypes.has(source)) return source.toLowerCase();
  const length = Number(parameters['__debezium.source.column.length'] ?? 0);
  return source === 'VARCHAR' && length > 0 && length <= 10_485_760 ? `varchar(${length})` : 'text';
}
