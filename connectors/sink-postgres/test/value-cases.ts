/** Values of every schema that the peers know: into what column they go where we make it, and what stands there then. */
import {
  Decimal,
  arraySchema,
  dateSchema,
  decimalSchema,
  mapSchema,
  schemaOf,
  schemas,
  structOf,
  structSchema,
  timeSchema,
  timestampSchema,
} from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';

export interface ValueCase {
  readonly name: string;
  readonly schema: Schema;
  readonly value: unknown;
  /** As format_type says it, of a column that the sink makes. */
  readonly type: string;
  /** The column's text. */
  readonly text: string;
  /** Types of columns that are there already, and their texts. */
  readonly into?: Readonly<Record<string, string>>;
}

const debezium = (type: Parameters<typeof schemaOf>[0], name: string, parameters?: Readonly<Record<string, string>>): Schema =>
  schemaOf(type, { name: `io.debezium.${name}`, version: 1, ...(parameters === undefined ? {} : { parameters }) });
const optional = (schema: Schema): Schema => ({ ...schema, optional: true });

const variableDecimal = structSchema(
  [
    ['scale', schemas.int32],
    ['value', schemas.bytes],
  ],
  { name: 'io.debezium.data.VariableScaleDecimal', version: 1 },
);
const point = structSchema(
  [
    ['x', schemas.float64],
    ['y', schemas.float64],
    ['wkb', schemaOf('bytes', { optional: true })],
    ['srid', schemaOf('int32', { optional: true })],
  ],
  { name: 'io.debezium.data.geometry.Point', version: 1 },
);
const part = structSchema([
  ['a', schemas.int64],
  ['b', schemas.optionalString],
]);

const case_ = (
  name: string,
  schema: Schema,
  value: unknown,
  type: string,
  text: string,
  into?: Readonly<Record<string, string>>,
): ValueCase => ({
  name,
  schema,
  value,
  type,
  text,
  ...(into === undefined ? {} : { into }),
});

const noon = Date.UTC(2024, 1, 29, 12, 34, 56, 789);
const noonUs = BigInt(noon) * 1000n + 123n;

export const plainCases: readonly ValueCase[] = [
  case_('int8', schemas.int8, -128, 'smallint', '-128'),
  case_('int16', schemas.int16, 32_767, 'smallint', '32767'),
  case_('int32', schemas.int32, -2_147_483_648, 'integer', '-2147483648', {
    bigint: '-2147483648',
    text: '-2147483648',
    numeric: '-2147483648',
  }),
  case_('int64', schemas.int64, 9_223_372_036_854_775_807n, 'bigint', '9223372036854775807', { numeric: '9223372036854775807' }),
  case_('float32', schemas.float32, 1.5, 'real', '1.5'),
  case_('float64', schemas.float64, 1e-300, 'double precision', '1e-300'),
  case_('float64_nan', schemas.float64, Number.NaN, 'double precision', 'NaN'),
  case_('float64_infinity', schemas.float64, Number.NEGATIVE_INFINITY, 'double precision', '-Infinity'),
  case_('boolean', schemas.boolean, true, 'boolean', 'true', { integer: '1', text: 't', 'bit(1)': '1' }),
  case_(
    'string',
    schemas.string,
    'tab\there, line\nback\\slash "quote" {brace} 🦆',
    'text',
    'tab\there, line\nback\\slash "quote" {brace} 🦆',
  ),
  case_('string_empty', schemas.string, '', 'text', ''),
  case_('string_N', schemas.string, '\\N', 'text', '\\N'),
  case_('string_null', schemas.string, 'NULL', 'text', 'NULL'),
  case_('bytes', schemas.bytes, Buffer.from([0, 1, 92, 255]), 'bytea', '\\x00015cff'),
  case_('decimal', decimalSchema(2), Decimal.parse('-12345678901234567890.12'), 'numeric', '-12345678901234567890.12', {
    text: '-12345678901234567890.12',
  }),
  case_('date', dateSchema(), new Date(Date.UTC(2024, 1, 29)), 'date', '2024-02-29', {
    timestamp: '2024-02-29 00:00:00',
    text: '2024-02-29',
  }),
  case_('time', timeSchema(), new Date(45_296_789), 'time without time zone', '12:34:56.789'),
  case_('timestamp', timestampSchema(), new Date(noon), 'timestamp without time zone', '2024-02-29 12:34:56.789', {
    timestamptz: '2024-02-29 12:34:56.789+00',
    bigint: String(noon),
    date: '2024-02-29',
  }),
  case_('array_int', arraySchema(schemas.int32), [1, 2, 3], 'integer[]', '{1,2,3}', { jsonb: '[1, 2, 3]', 'bigint[]': '{1,2,3}' }),
  case_(
    'array_string',
    arraySchema(schemaOf('string', { optional: true })),
    ['a', null, 'NULL', 'x,"y"\\', ''],
    'text[]',
    '{a,NULL,"NULL","x,\\"y\\"\\\\",""}',
  ),
  case_('array_empty', arraySchema(schemas.string), [], 'text[]', '{}'),
  case_('map', mapSchema(schemas.string, schemas.int32), new Map([['k', 1]]), 'jsonb', '{"k": 1}', { text: '{"k":1}', json: '{"k":1}' }),
  case_('struct', part, structOf(part, { a: 9_007_199_254_740_993n, b: null }), 'jsonb', '{"a": 9007199254740993, "b": null}'),
];

export const debeziumCases: readonly ValueCase[] = [
  case_('d_date', debezium('int32', 'time.Date'), 19_782, 'date', '2024-02-29'),
  case_('d_date_bc', debezium('int32', 'time.Date'), -719_163, 'date', '0001-12-31 BC'),
  case_('d_time', debezium('int32', 'time.Time'), 45_296_789, 'time without time zone', '12:34:56.789'),
  case_('d_micro_time', debezium('int64', 'time.MicroTime'), 45_296_789_123n, 'time without time zone', '12:34:56.789123'),
  case_('d_nano_time', debezium('int64', 'time.NanoTime'), 45_296_789_123_456n, 'time without time zone', '12:34:56.789123'),
  case_('d_timestamp', debezium('int64', 'time.Timestamp'), BigInt(noon), 'timestamp without time zone', '2024-02-29 12:34:56.789'),
  case_('d_micro_ts', debezium('int64', 'time.MicroTimestamp'), noonUs, 'timestamp without time zone', '2024-02-29 12:34:56.789123', {
    bigint: String(noonUs),
  }),
  case_(
    'd_nano_ts',
    debezium('int64', 'time.NanoTimestamp'),
    noonUs * 1000n + 999n,
    'timestamp without time zone',
    '2024-02-29 12:34:56.789123',
  ),
  case_(
    'd_zoned_ts',
    debezium('string', 'time.ZonedTimestamp'),
    '2024-02-29T14:34:56.789123+02:00',
    'timestamp with time zone',
    '2024-02-29 12:34:56.789123+00',
    {
      timestamp: '2024-02-29 12:34:56.789123',
      text: '2024-02-29T14:34:56.789123+02:00',
    },
  ),
  case_('d_zoned_time', debezium('string', 'time.ZonedTime'), '12:34:56.789123Z', 'time with time zone', '12:34:56.789123+00'),
  case_('d_iso_date', debezium('string', 'time.IsoDate'), '2024-02-29Z', 'date', '2024-02-29'),
  case_('d_iso_time', debezium('string', 'time.IsoTime'), '12:34:56.789Z', 'time without time zone', '12:34:56.789'),
  case_(
    'd_iso_ts',
    debezium('string', 'time.IsoTimestamp'),
    '2024-02-29T12:34:56.789Z',
    'timestamp without time zone',
    '2024-02-29 12:34:56.789',
  ),
  case_('d_year', debezium('int32', 'time.Year'), 2024, 'integer', '2024'),
  case_('d_micro_duration', debezium('int64', 'time.MicroDuration'), 3_661_000_001n, 'interval', '01:01:01.000001'),
  case_('d_nano_duration', debezium('int64', 'time.NanoDuration'), 3_661_000_001_000n, 'interval', '01:01:01.000001'),
  case_('d_interval', debezium('string', 'time.Interval'), 'P1Y2M3DT4H5M6.78S', 'interval', '1 year 2 mons 3 days 04:05:06.78'),
  case_(
    'd_variable',
    variableDecimal,
    structOf(variableDecimal, { scale: 3, value: new Decimal(-1_234_567n, 3).toBytes() }),
    'numeric',
    '-1234.567',
    { text: '-1234.567' },
  ),
  case_(
    'd_variable_big',
    variableDecimal,
    structOf(variableDecimal, { scale: -2, value: new Decimal(5n, -2).toBytes() }),
    'numeric',
    '500',
  ),
  case_('d_json', debezium('string', 'data.Json'), '{"a": [1, "\\u00e9\\n"]}', 'json', '{"a": [1, "\\u00e9\\n"]}', {
    jsonb: '{"a": [1, "é\\n"]}',
    text: '{"a": [1, "\\u00e9\\n"]}',
  }),
  case_('d_uuid', debezium('string', 'data.Uuid'), '0B0F2A55-64A4-4E7B-B1C3-0E5D5D9B5C3E', 'uuid', '0b0f2a55-64a4-4e7b-b1c3-0e5d5d9b5c3e'),
  case_('d_xml', debezium('string', 'data.Xml'), '<a>1</a>', 'xml', '<a>1</a>'),
  case_('d_enum', debezium('string', 'data.Enum', { allowed: 'sad,happy' }), 'happy', 'text', 'happy', { mood: 'happy' }),
  case_('d_enum_set', debezium('string', 'data.EnumSet', { allowed: 'a,b' }), 'a,b', 'text', 'a,b', { 'text[]': '{a,b}' }),
  case_('d_bits', debezium('bytes', 'data.Bits', { length: '10' }), Buffer.from([0b1010_0101, 0b10]), 'bit(10)', '1010100101', {
    'bit varying': '0000001010100101',
  }),
  case_('d_point', point, structOf(point, { x: 1.5, y: -2, wkb: null, srid: null }), 'point', '(1.5,-2)', {
    jsonb: '{"x": 1.5, "y": -2, "wkb": null, "srid": null}',
  }),
  case_(
    'd_array_uuid',
    arraySchema(debezium('string', 'data.Uuid')),
    ['0b0f2a55-64a4-4e7b-b1c3-0e5d5d9b5c3e'],
    'uuid[]',
    '{0b0f2a55-64a4-4e7b-b1c3-0e5d5d9b5c3e}',
  ),
  case_(
    'd_array_ts',
    arraySchema(optional(debezium('int64', 'time.MicroTimestamp'))),
    [noonUs, null],
    'timestamp without time zone[]',
    '{"2024-02-29 12:34:56.789123",NULL}',
  ),
];
