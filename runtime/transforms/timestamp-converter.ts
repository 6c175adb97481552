import {
  ConfigError,
  DataError,
  ValueStruct,
  dateSchema,
  defineConfig,
  defineTransform,
  logical,
  schemaOf,
  structSchema,
  timeSchema,
  timestampSchema,
} from '../api/index.ts';
import type { Schema, StructSchema, TransformPlugin } from '../api/index.ts';
import { dateFormat } from './date-format.ts';
import type { DateFormat } from './date-format.ts';
import { basicsOf, fieldValue, keySide, kindOf, mustBeMap, mustBeStruct, perSchema, replaceNullKey, valueSide } from './record-side.ts';
import type { RecordSide } from './record-side.ts';

const targets = ['string', 'unix', 'Date', 'Time', 'Timestamp'] as const;
type Target = (typeof targets)[number];
/** Nanoseconds in each unit. */
const units = { seconds: 1_000_000_000n, milliseconds: 1_000_000n, microseconds: 1000n, nanoseconds: 1n } as const;
type Unit = keyof typeof units;
const dayMs = 86_400_000;

const config = defineConfig({
  field: {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The field containing the timestamp, or empty if the entire value is a timestamp',
  },
  'target.type': {
    type: 'string',
    rule: { kind: 'one-of', values: targets },
    importance: 'high',
    doc: 'The desired timestamp representation: string, unix, Date, Time, or Timestamp',
  },
  format: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used to parse the input if the input is a string.',
  },
  'unix.precision': {
    type: 'string',
    default: 'milliseconds',
    rule: { kind: 'one-of', values: Object.keys(units) },
    importance: 'low',
    doc: 'The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds.',
  },
  'replace.null.with.default': replaceNullKey,
});

/** org.apache.kafka.connect.transforms.TimestampConverter. */
function timestampConverter(side: RecordSide): TransformPlugin<typeof config> {
  return defineTransform({
    config,
    create(values) {
      const { field } = values;
      const target = values['target.type'] as Target;
      const unit = values['unix.precision'] as Unit;
      if (target === 'string' && values.format === '')
        throw new ConfigError('TimestampConverter requires format option to be specified when using string timestamps');
      const format = values.format === '' ? undefined : dateFormat(values.format);
      const convert = (schema: Schema | null, value: unknown): unknown =>
        value === null || value === undefined ? null : fromDate(toDate(schema, value, format, unit), target, format, unit);
      const plan = perSchema((schema: StructSchema) =>
        structSchema(
          schema.fields.map((one) => [one.name, one.name === field ? targetSchema(target, one.schema.optional) : one.schema]),
          { ...basicsOf(schema), optional: schema.optional },
        ),
      );
      const wholeSchema = perSchema((schema: Schema) => targetSchema(target, schema.optional));
      return (record) => {
        const value = side.valueOf(record);
        const schema = side.schemaOf(record);
        if (field === '') return side.replace(record, schema === null ? null : wholeSchema(schema), convert(schema, value));
        if (value === null || value === undefined) return record;
        if (schema === null) {
          const map = mustBeMap(value, 'convert timestamp formats');
          return side.replace(record, null, { ...map, [field]: convert(null, map[field]) });
        }
        const struct = mustBeStruct(value, 'convert timestamp formats');
        const converted = plan(struct.schema);
        const items = struct.schema.fields.map((one) => {
          const item = fieldValue(struct, one.index, values['replace.null.with.default']);
          return one.name === field ? convert(one.schema, item) : item;
        });
        return side.replace(record, converted, new ValueStruct(converted, items));
      };
    },
  });
}

function targetSchema(target: Target, optional: boolean): Schema {
  switch (target) {
    case 'string':
      return schemaOf('string', { optional });
    case 'unix':
      return schemaOf('int64', { optional });
    case 'Date':
      return dateSchema({ optional });
    case 'Time':
      return timeSchema({ optional });
    case 'Timestamp':
      return timestampSchema({ optional });
  }
}

function toDate(schema: Schema | null, value: unknown, format: DateFormat | undefined, unit: Unit): Date {
  if (value instanceof Date) return value;
  if (typeof value === 'string') {
    if (format === undefined)
      throw new ConfigError('TimestampConverter requires format option to be specified when using string timestamps');
    return format.parse(value);
  }
  const known =
    schema === null || (schema.type === 'int64' && (schema.name === undefined || !Object.values<string>(logical).includes(schema.name)));
  if (known && (typeof value === 'bigint' || Number.isSafeInteger(value))) {
    const nanos = BigInt(value as number | bigint) * units[unit];
    return new Date(Number(nanos / 1_000_000n));
  }
  throw new DataError(`Schema ${schema?.name ?? schema?.type ?? kindOf(value)} does not correspond to a known timestamp type format`);
}

function fromDate(date: Date, target: Target, format: DateFormat | undefined, unit: Unit): unknown {
  const ms = date.getTime();
  const dayStart = Math.floor(ms / dayMs) * dayMs;
  switch (target) {
    case 'string':
      return format?.format(date) ?? date.toISOString();
    case 'unix': {
      const count = (BigInt(ms) * 1_000_000n) / units[unit];
      return Number.isSafeInteger(Number(count)) ? Number(count) : count;
    }
    case 'Date':
      return new Date(dayStart);
    case 'Time':
      return new Date(ms - dayStart);
    case 'Timestamp':
      return date;
  }
}

export const key = timestampConverter(keySide);
export const value = timestampConverter(valueSide);
