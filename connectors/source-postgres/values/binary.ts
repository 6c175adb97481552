import { DataError, schemaOf, schemas } from '@millrace/runtime/api';

import { asciiText, valueType } from './value-type.ts';
import type { Decode, ValueSettings, ValueType } from './value-type.ts';

/** bytea in its hex format, `\x00ff`. */
export function decodeBytea(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (bytes[start] !== 0x5c || bytes[start + 1] !== 0x78) {
    throw new DataError('a bytea value is not in hex format: the session must keep bytea_output = hex');
  }
  return Buffer.from(asciiText(bytes, start + 2, end), 'hex');
}

export function byteaType(settings: ValueSettings): ValueType {
  const { placeholder } = settings;
  switch (settings.binary) {
    case 'bytes':
      return valueType(schemas.bytes, 'other', decodeBytea, new Uint8Array(0), {
        unavailable: Buffer.from(placeholder),
        generated: undefined,
      });
    case 'hex':
      return valueType(schemas.string, 'other', (b, s, e) => asciiText(b, s + 2, e), '', {
        unavailable: placeholder,
        generated: undefined,
      });
    case 'base64':
      return encoded('base64', placeholder);
    case 'base64-url-safe':
      return encoded('base64url', placeholder);
  }
}

/** Java's URL-safe encoder pads, Node's does not. */
function inBase64(bytes: Buffer, encoding: 'base64' | 'base64url'): string {
  const text = bytes.toString(encoding);
  return encoding === 'base64' ? text : text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

function encoded(encoding: 'base64' | 'base64url', placeholder: string): ValueType {
  const toText = (bytes: Buffer): string => inBase64(bytes, encoding);
  const decode: Decode = (bytes, start, end) => toText(Buffer.from(decodeBytea(bytes, start, end)));
  return valueType(schemas.string, 'other', decode, '', { unavailable: toText(Buffer.from(placeholder)), generated: undefined });
}

/** bit(1) is a boolean; longer ones, and varbit, are io.debezium.data.Bits. `length` is -1 for varbit without one. */
export function bitType(length: number, varying: boolean): ValueType {
  if (!varying && length <= 1) return valueType(schemas.boolean, 'other', decodeBit, false);
  const parameters = { length: String(length < 0 ? 2_147_483_647 : length) };
  const schema = schemaOf('bytes', { name: 'io.debezium.data.Bits', version: 1, parameters });
  return valueType(schema, 'other', decodeBits, new Uint8Array(0));
}

const decodeBit: Decode = (bytes, start) => bytes[start] === 0x31;

/** Little-endian, without leading (high) zero bytes. */
export const decodeBits: Decode = (bytes, start, end) => {
  const count = end - start;
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (let i = 0; i < count; i++) {
    if (bytes[end - 1 - i] === 0x31) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  }
  let length = bits.length;
  while (length > 0 && bits[length - 1] === 0) length--;
  return bits.subarray(0, length);
};

/** The bytes of the text, for types that the connector does not know (include.unknown.datatypes), in the form of bytea. */
export function unknownType({ binary }: Pick<ValueSettings, 'binary'>): ValueType {
  const more = { generated: undefined };
  if (binary === 'bytes')
    return valueType(schemas.bytes, 'other', (bytes, start, end) => new Uint8Array(bytes.subarray(start, end)), new Uint8Array(0), more);
  const toText = (bytes: Buffer): string =>
    binary === 'hex' ? bytes.toString('hex') : inBase64(bytes, binary === 'base64' ? 'base64' : 'base64url');
  const decode: Decode = (bytes, start, end) => toText(Buffer.from(bytes.subarray(start, end)));
  return valueType(schemas.string, 'other', decode, '', more);
}
