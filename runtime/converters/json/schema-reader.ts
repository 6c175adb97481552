import { DataError, Decimal, ValueStruct, logical } from '../../api/index.ts';
import type { Schema, StructSchema } from '../../api/index.ts';
import { inField } from './field-name.ts';
import { ExactNumber } from './parse.ts';

/** Turns a parsed JSON value into the value of one schema. Throws a DataError. */
export type ValueReader = (json: unknown) => unknown;

interface ReaderSettings {
  readonly replaceNull: boolean;
}

/** Compiled once for each schema; the caller keeps it. */
export function compileReader(schema: Schema, settings: ReaderSettings): ValueReader {
  const read = logicalReader(schema) ?? typeReader(schema, settings);
  const fallback = schema.defaultValue ?? null;
  if (fallback !== null && settings.replaceNull) return (json) => (json === null || json === undefined ? fallback : read(json));
  if (schema.optional) return (json) => (json === null || json === undefined ? null : read(json));
  return (json) => {
    if (json === null || json === undefined) throw new DataError(`Invalid null value for required ${schema.type.toUpperCase()} field`);
    return read(json);
  };
}

/** Whether numbers with a fraction must come with all their digits. */
export function holdsDecimals(schema: Schema): boolean {
  if (schema.name === logical.decimal) return true;
  const parts = [schema.keySchema, schema.valueSchema, ...(schema.fields ?? []).map((field) => field.schema)];
  return parts.some((part) => part !== undefined && holdsDecimals(part));
}

function logicalReader(schema: Schema): ValueReader | undefined {
  switch (schema.name) {
    case logical.decimal:
      return decimalReader(Number(schema.parameters?.['scale'] ?? 0));
    case logical.date:
      return dateReader(schema, 86_400_000);
    case logical.time:
    case logical.timestamp:
      return dateReader(schema, 1);
    default:
      return undefined;
  }
}

function decimalReader(scale: number): ValueReader {
  return (json) => {
    if (typeof json === 'string') return Decimal.fromBytes(base64(json), scale);
    const text = json instanceof ExactNumber ? json.text : typeof json === 'number' || typeof json === 'bigint' ? String(json) : undefined;
    if (text === undefined)
      throw new DataError(`Invalid type for Decimal, underlying representation should be numeric or bytes but was ${jsonType(json)}`);
    try {
      const exact = Decimal.parse(text);
      return exact.scale < scale && scale - exact.scale < 10_000 ? exact.withScale(scale) : exact;
    } catch (cause) {
      throw new DataError(`${text.slice(0, 100)} cannot be read as a Decimal`, { cause });
    }
  };
}

function dateReader(schema: Schema, unitMs: number): ValueReader {
  return (json) => {
    if (typeof json !== 'number' || !Number.isInteger(json)) {
      throw new DataError(
        `Invalid type for ${schema.name?.split('.').at(-1)}, underlying representation should be integer but was ${jsonType(json)}`,
      );
    }
    return new Date(json * unitMs);
  };
}

/** The least and greatest value of each whole type. */
const ranges = { int8: 0x7f, int16: 0x7fff, int32: 0x7fff_ffff } as const;
const maxLong = 0x7fff_ffff_ffff_ffffn;

function typeReader(schema: Schema, settings: ReaderSettings): ValueReader {
  switch (schema.type) {
    case 'int8':
    case 'int16':
    case 'int32': {
      const max = ranges[schema.type];
      return (json) => {
        if (typeof json !== 'number' || !Number.isInteger(json)) throw unfit(schema, json);
        if (json > max || json < -max - 1) throw new DataError(`${json} is out of the range of ${schema.type}`);
        return json;
      };
    }
    case 'int64':
      return (json) => {
        if (typeof json === 'bigint' ? json > maxLong || json < -maxLong - 1n : !Number.isSafeInteger(json)) throw unfit(schema, json);
        return json;
      };
    case 'float32':
      return (json) => Math.fround(floating(schema, json));
    case 'float64':
      return (json) => floating(schema, json);
    case 'boolean':
      return (json) => {
        if (typeof json !== 'boolean') throw unfit(schema, json);
        return json;
      };
    case 'string':
      return (json) => {
        if (typeof json !== 'string') throw unfit(schema, json);
        return json;
      };
    case 'bytes':
      return (json) => {
        if (typeof json !== 'string') throw unfit(schema, json);
        return base64(json);
      };
    case 'array':
      return arrayReader(schema, settings);
    case 'map':
      return mapReader(schema, settings);
    case 'struct':
      return structReader(schema as StructSchema, settings);
  }
}

/** The JVM's converter writes NaN and the infinities as strings, and reads these back as 0; we read what was written. */
function floating(schema: Schema, json: unknown): number {
  if (typeof json === 'number') return json;
  if (typeof json === 'bigint') return Number(json);
  if (json instanceof ExactNumber) return Number(json.text);
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
  throw unfit(schema, json);
}

const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;

function base64(text: string): Uint8Array {
  if (text.length % 4 !== 0 || !base64Text.test(text)) throw new DataError('bytes must be base64 text');
  const decoded = Buffer.from(text, 'base64');
  return new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.length);
}

function arrayReader(schema: Schema, settings: ReaderSettings): ValueReader {
  const item = partReader(schema.valueSchema, settings);
  return (json) => {
    if (!Array.isArray(json)) throw unfit(schema, json);
    return json.map((inner) => item(inner));
  };
}

function mapReader(schema: Schema, settings: ReaderSettings): ValueReader {
  const key = partReader(schema.keySchema, settings);
  const item = partReader(schema.valueSchema, settings);
  if (schema.keySchema?.type === 'string') {
    return (json) => {
      if (!isObject(json)) throw new DataError(`Maps with string fields should be encoded as JSON objects, but found ${jsonType(json)}`);
      return new Map(Object.entries(json).map(([name, inner]) => [name, item(inner)]));
    };
  }
  return (json) => {
    if (!Array.isArray(json))
      throw new DataError(`Maps with non-string fields should be encoded as JSON array of tuples, but found ${jsonType(json)}`);
    return new Map(
      json.map((pair: unknown) => {
        if (!Array.isArray(pair) || pair.length !== 2) throw new DataError('a map entry must be a JSON array of its key and value');
        return [key(pair[0]), item(pair[1])];
      }),
    );
  };
}

function partReader(schema: Schema | undefined, settings: ReaderSettings): ValueReader {
  return schema === undefined ? (json) => json : compileReader(schema, settings);
}

function structReader(schema: StructSchema, settings: ReaderSettings): ValueReader {
  const fields = schema.fields.map((field) => ({
    name: field.name,
    // Every object inherits a few names, such as "constructor": only with these must its own be told apart.
    inherited: field.name in Object.prototype,
    read: compileReader(field.schema, settings),
  }));
  return (json) => {
    if (!isObject(json)) throw new DataError(`Structs should be encoded as JSON objects, but found ${jsonType(json)}`);
    const values = new Array<unknown>(fields.length);
    for (let i = 0; i < fields.length; i++) {
      const { name, inherited, read } = fields[i] as (typeof fields)[number];
      try {
        values[i] = read(inherited && !Object.hasOwn(json, name) ? null : (json[name] ?? null));
      } catch (error) {
        throw inField(error, name);
      }
    }
    return new ValueStruct(schema, values);
  };
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && !(json instanceof ExactNumber);
}

function unfit(schema: Schema, json: unknown): DataError {
  return new DataError(`${schema.name ?? schema.type} cannot be read from JSON of type ${jsonType(json)}`);
}

function jsonType(json: unknown): string {
  if (json === null) return 'NULL';
  if (Array.isArray(json)) return 'ARRAY';
  if (typeof json === 'bigint' || json instanceof ExactNumber) return 'NUMBER';
  return (typeof json).toUpperCase();
}
