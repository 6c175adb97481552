import { DataError, schemas } from '../api/index.ts';
import type { Schema } from '../api/index.ts';
import { converterPlugin } from './converter-plugin.ts';
import type { ConverterForAll } from './converter-plugin.ts';

interface NumberFormat {
  readonly name: string;
  readonly bytes: number;
  /** What reading gives. */
  readonly schema: Schema;
  readonly fits: (value: number | bigint) => boolean;
  readonly write: (view: DataView, value: number | bigint) => void;
  readonly read: (view: DataView) => number | bigint;
}

const within =
  (limit: number) =>
  (value: number | bigint): boolean =>
    (typeof value === 'bigint' || Number.isInteger(value)) && value < limit && value >= -limit;

const isDouble = (value: number | bigint): boolean => typeof value === 'number';

const formats = {
  short: {
    name: 'short',
    bytes: 2,
    schema: schemas.optionalInt16,
    fits: within(2 ** 15),
    write: (view, value) => view.setInt16(0, Number(value)),
    read: (view) => view.getInt16(0),
  },
  integer: {
    name: 'int',
    bytes: 4,
    schema: schemas.optionalInt32,
    fits: within(2 ** 31),
    write: (view, value) => view.setInt32(0, Number(value)),
    read: (view) => view.getInt32(0),
  },
  long: {
    name: 'long',
    bytes: 8,
    schema: schemas.optionalInt64,
    fits: (value) => within(2 ** 63)(value) && (typeof value === 'bigint' || Number.isSafeInteger(value)),
    write: (view, value) => view.setBigInt64(0, BigInt(value)),
    read: (view) => view.getBigInt64(0),
  },
  float: {
    name: 'float',
    bytes: 4,
    schema: schemas.optionalFloat32,
    fits: isDouble,
    write: (view, value) => view.setFloat32(0, Number(value)),
    read: (view) => view.getFloat32(0),
  },
  double: {
    name: 'double',
    bytes: 8,
    schema: schemas.optionalFloat64,
    fits: isDouble,
    write: (view, value) => view.setFloat64(0, Number(value)),
    read: (view) => view.getFloat64(0),
  },
} as const satisfies Record<string, NumberFormat>;

/** org.apache.kafka.connect.converters.NumberConverter: big-endian bytes of a fixed length. */
export function numberConverter(type: keyof typeof formats): ConverterForAll {
  const format: NumberFormat = formats[type];
  return converterPlugin({}, () => ({
    missing: { schema: format.schema, value: null },
    encode(_schema, value) {
      if (value === null || value === undefined) return null;
      if ((typeof value !== 'number' && typeof value !== 'bigint') || !format.fits(value)) {
        throw new DataError(
          `Failed to serialize to a ${format.name}: found ${typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`}`,
        );
      }
      const bytes = new Uint8Array(format.bytes);
      format.write(new DataView(bytes.buffer), value);
      return bytes;
    },
    decode(bytes) {
      if (bytes.length !== format.bytes)
        throw new DataError(`Failed to deserialize to a ${format.name}: ${bytes.length} bytes, not ${format.bytes}`);
      return { schema: format.schema, value: format.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length)) };
    },
  }));
}
