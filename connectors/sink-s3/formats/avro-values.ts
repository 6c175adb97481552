/** Connect's values as avsc takes them, compiled for each schema. Source: AvroData.fromConnectData. */
import { DataError, Decimal, isStruct, logical } from '@millrace/runtime/api';
import type { Schema } from '@millrace/runtime/api';
import { isAvroMap } from './avro-schema.ts';
import type { AvroSchemaOptions } from './avro-schema.ts';

/** Throws a DataError for a value that is not of its schema. */
export type ToAvro = (value: unknown) => unknown;

const dayMs = 86_400_000;

export function avroValues(schema: Schema, options: AvroSchemaOptions): ToAvro {
  const compiled = new Map<Schema, ToAvro>();

  function of(inner: Schema): ToAvro {
    const known = compiled.get(inner);
    if (known !== undefined) return known;
    compiled.set(inner, (value) => (compiled.get(inner) as ToAvro)(value));
    const convert = required(inner);
    const { defaultValue = null } = inner;
    const whole: ToAvro = (value) => {
      const present = value ?? defaultValue;
      if (present !== null && present !== undefined) return convert(present);
      if (!inner.optional) throw new DataError(`null where the schema ${inner.name ?? inner.type} allows none`);
      return null;
    };
    compiled.set(inner, whole);
    return whole;
  }

  function required(inner: Schema): ToAvro {
    switch (inner.type) {
      case 'struct':
        return struct(inner);
      case 'array': {
        const item = of(inner.valueSchema as Schema);
        return (value) => asArray(value).map(item);
      }
      case 'map': {
        const keys = of(inner.keySchema as Schema);
        const values = of(inner.valueSchema as Schema);
        if (!isAvroMap(inner, options)) return (value) => entries(value).map(([key, item]) => ({ key: keys(key), value: values(item) }));
        return (value) => Object.fromEntries(entries(value).map(([key, item]) => [String(key), values(item)]));
      }
      case 'bytes':
        return inner.name === logical.decimal ? decimal(Number(inner.parameters?.['scale'] ?? 0)) : bytes;
      case 'int8':
      case 'int16':
      case 'int32':
        return inner.name === logical.date ? (value) => (value instanceof Date ? Math.floor(value.getTime() / dayMs) : value) : millis;
      case 'int64':
        return millis;
      default:
        return (value) => value;
    }
  }

  function struct(inner: Schema): ToAvro {
    const fields = (inner.fields ?? []).map(({ name, index, schema: field }) => ({ name, index, convert: of(field) }));
    return (value) => {
      if (!isStruct(value)) throw new DataError(`a struct was to come, and it is ${value === null ? 'null' : `a ${typeof value}`}`);
      const record: Record<string, unknown> = {};
      for (const { name, index, convert } of fields) record[name] = convert(value.at(index));
      return record;
    };
  }

  return of(schema);
}

const millis: ToAvro = (value) => (value instanceof Date ? value.getTime() : value);

const bytes: ToAvro = (value) => {
  if (!(value instanceof Uint8Array)) throw new DataError(`bytes were to come, and it is a ${typeof value}`);
  return Buffer.from(value.buffer, value.byteOffset, value.length);
};

function decimal(scale: number): ToAvro {
  return (value) => {
    if (!(value instanceof Decimal)) throw new DataError(`a decimal was to come, and it is a ${typeof value}`);
    if (value.scale !== scale) throw new DataError(`a decimal of scale ${value.scale} where the schema says ${scale}`);
    return Buffer.from(value.toBytes());
  };
}

function asArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new DataError(`an array was to come, and it is a ${typeof value}`);
  return value;
}

function entries(value: unknown): (readonly [unknown, unknown])[] {
  if (!(value instanceof Map)) throw new DataError(`a map was to come, and it is a ${typeof value}`);
  return [...(value as ReadonlyMap<unknown, unknown>)];
}
