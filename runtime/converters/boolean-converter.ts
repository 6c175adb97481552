import { DataError, schemas } from '../api/index.ts';
import { converterPlugin } from './converter-plugin.ts';

/** org.apache.kafka.connect.converters.BooleanConverter: one byte, 1 or 0. */
export default converterPlugin({}, () => ({
  missing: { schema: schemas.optionalBoolean, value: null },
  encode(schema, value) {
    if (schema !== null && schema.type !== 'boolean')
      throw new DataError(`Invalid schema type for BooleanConverter: ${schema.type.toUpperCase()}`);
    if (value === null || value === undefined) return null;
    if (typeof value !== 'boolean') throw new DataError(`BooleanConverter is not compatible with objects of type ${typeof value}`);
    return Uint8Array.of(value ? 1 : 0);
  },
  decode(bytes) {
    const [byte] = bytes;
    if (bytes.length !== 1 || (byte !== 0 && byte !== 1))
      throw new DataError('Failed to deserialize to a boolean: it must be one byte, 0 or 1');
    return { schema: schemas.optionalBoolean, value: byte === 1 };
  },
}));
