import { withOptions } from '@millrace/runtime/api';
import type { Schema, StructSchema, WireForm } from '@millrace/runtime/api';

/** The value that stands, in PostgreSQL's text format, in `bytes[start, end)`. Throws a DataError when it does not. */
export type Decode = (bytes: Uint8Array, start: number, end: number) => unknown;

/** How a column type appears in records. */
export interface ValueType {
  /** Not optional, without a default. */
  readonly schema: Schema;
  readonly form: WireForm;
  readonly decode: Decode;
  /** What stands for a value that PostgreSQL did not send because it did not change (TOAST). */
  readonly unavailable: unknown;
  /** What stands for a value of a NOT NULL column that is not part of the replica identity. */
  readonly zero: unknown;
  /** The default in the schema when the column's default is a function call; undefined where defaults are left out. */
  readonly generated: unknown;
  /** Decodes a literal default, where that is other than decoding a value: it has not gone through the column. */
  readonly literal?: Decode;
  /** What a default has to end in, which is a literal then. */
  readonly cast?: string;
  /** Whether items of an array of this type are required, so that a null item empties the whole array. */
  readonly itemsRequired?: boolean;
  /** Whether these bytes are a value that the schema cannot hold, so that decoding them gives null. */
  readonly cannotHold?: (bytes: Uint8Array, start: number, end: number) => boolean;
  /** Of types whose schema lists their values: the label in these bytes that is not listed; undefined where all are. */
  readonly unlisted?: (bytes: Uint8Array, start: number, end: number) => UnlistedLabel | undefined;
  /** The same for another schema of theirs (optional, say); of struct types, since a struct bears its exact schema. */
  readonly forSchema?: (schema: StructSchema) => ValueType;
}

/** A value of an enum that its schema does not list (yet). */
export interface UnlistedLabel {
  /** The enum's oid. */
  readonly type: number;
  readonly label: string;
}

/** A type of structs; `make` returns its decoder and zero for a schema. */
export function structType(schema: StructSchema, make: (schema: StructSchema) => { decode: Decode; zero: unknown }): ValueType {
  const { decode, zero } = make(schema);
  return { ...valueType(schema, 'other', decode, zero, { generated: undefined }), forSchema: (other) => structType(other, make) };
}

/** The type as it is for a column or an item of that schema. */
export function typeFor(type: ValueType, schema: Schema): ValueType {
  const made = type.forSchema?.(schema as StructSchema);
  if (made === undefined) return type;
  return type.cannotHold === undefined ? made : { ...made, cannotHold: type.cannotHold };
}

/** Everything that config decides about values. */
export interface ValueSettings {
  readonly decimals: 'precise' | 'double' | 'string';
  readonly times: 'adaptive' | 'adaptive_time_microseconds' | 'connect' | 'microseconds' | 'nanoseconds' | 'isostring';
  readonly binary: 'bytes' | 'base64' | 'base64-url-safe' | 'hex';
  readonly intervals: 'numeric' | 'string';
  readonly hstore: 'json' | 'map';
  readonly moneyFractionDigits: number;
  readonly placeholder: string;
  readonly includeUnknown: boolean;
  /** Whether values are as Debezium 3.3 writes them even where that is wrong (debezium.bug.compatible). */
  readonly compatible: boolean;
}

/** How a row is read: what differs between the two in Debezium is the same in both unless `compatible` is set. */
export type Phase = 'snapshot' | 'stream';

export function valueType(
  schema: Schema,
  form: WireForm,
  decode: Decode,
  zero: unknown,
  more: Partial<Pick<ValueType, 'unavailable' | 'generated' | 'literal' | 'cast' | 'itemsRequired' | 'unlisted'>> = {},
): ValueType {
  return {
    schema,
    form,
    decode,
    zero,
    unavailable: more.unavailable ?? null,
    generated: 'generated' in more ? more.generated : zero,
    ...(more.literal ? { literal: more.literal } : {}),
    ...(more.cast ? { cast: more.cast } : {}),
    ...(more.itemsRequired ? { itemsRequired: true } : {}),
    ...(more.unlisted ? { unlisted: more.unlisted } : {}),
  };
}

/** The schema of a column of this type. */
export function columnSchema(type: ValueType, optional: boolean, defaultValue: unknown): Schema {
  if (!optional && defaultValue === undefined) return type.schema;
  return withOptions(type.schema, { optional, defaultValue });
}

/** ASCII (or Latin-1) bytes as a string. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return bufferOf(bytes).latin1Slice(start, end);
}

export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return bufferOf(bytes).utf8Slice(start, end);
}

// These two are methods of every Buffer, left out of the type declarations.
interface Slicing {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

function bufferOf(bytes: Uint8Array): Slicing {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return buffer as unknown as Slicing;
}
